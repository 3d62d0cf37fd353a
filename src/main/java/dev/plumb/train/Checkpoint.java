package dev.plumb.train;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NamedEnum;
import dev.plumb.random.NumpyRandom;
import dev.plumb.store.SafetensorsFile;
import dev.plumb.store.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The exact state of a training as a safetensors file, with all numbers in double precision. Its tensors are {@code parameters},
 * {@code moment1}, {@code moment2}, {@code best}, {@code history} [epochs x (6 + layers)] with one {@link EpochMetrics} per row,
 * {@code state} (the scalars of {@link TrainerState}) and {@code stream} (the words of the random generator). The tensors of
 * further replicas are called {@code 1.parameters}, {@code 2.parameters} and so on.
 *
 * @param states the state of each replica
 * @param run the metadata of the run by key: the configuration, the command, the hashes of the data
 */
public record Checkpoint(List<TrainerState> states, SortedMap<String, String> run) {
  private static final String FORMAT_KEY = "plumb.format";
  private static final String FORMAT = "checkpoint 1";
  private static final String END_KEY = "plumb.end";
  private static final String REPLICAS_KEY = "plumb.replicas";
  private static final String RUN_KEY = "run.";
  private static final int ROW_FIGURES = 6;

  /** Every whole number up to this one is exact as a double. */
  private static final double MAX_EXACT = 0x1p53;

  public Checkpoint {
    states = List.copyOf(states);
  }

  /** Returns the state of the first replica, the only one of {@code plumb train}. */
  public TrainerState state() {
    return states.get(0);
  }

  /** Writes the checkpoint atomically. */
  public void write(Path file) {
    SortedMap<String, String> texts = new TreeMap<>();
    run.forEach((key, text) -> texts.put(RUN_KEY + key, text));
    texts.put(FORMAT_KEY, FORMAT);
    if (states.size() > 1) {
      texts.put(REPLICAS_KEY, Integer.toString(states.size()));
    }
    List<Tensor> tensors = new ArrayList<>();
    for (int i = 0; i < states.size(); i++) {
      add(states.get(i), prefix(i), texts, tensors);
    }
    SafetensorsFile.write(file, texts, tensors);
  }

  private static String prefix(int replica) {
    return replica == 0 ? "" : replica + ".";
  }

  private static void add(TrainerState state, String prefix, SortedMap<String, String> texts, List<Tensor> tensors) {
    state.end().ifPresent(end -> texts.put(prefix + END_KEY, end.key()));
    NumpyRandom.State stream = state.stream();
    long[] words = new long[stream.words().length];
    for (int i = 0; i < words.length; i++) {
      words[i] = stream.words()[i];
    }
    tensors.addAll(List.of(
        reals(prefix + "parameters", state.parameters()),
        reals(prefix + "moment1", state.moment1()),
        reals(prefix + "moment2", state.moment2()),
        reals(prefix + "best", state.best()),
        history(prefix + "history", state.history()),
        reals(prefix + "state", state.stepsTaken(), state.stepInEpoch(), state.lossSum(), state.secondsInEpoch(),
            state.rate().rate(), state.rate().best(), state.rate().badEpochs(), state.bestEpoch(), state.bestLoss(),
            stream.position(), stream.hasSpareNormal() ? 1 : 0, stream.spareNormal()),
        new Tensor.Integers(prefix + "stream", Tensor.Type.I32, List.of(words.length), words)));
  }

  /**
   * Reads a checkpoint.
   *
   * @throws InvalidInputException when the file cannot be read, is not a checkpoint or is damaged; the message names the file
   */
  public static Checkpoint read(Path file) {
    SafetensorsFile.Contents contents = SafetensorsFile.read(file);
    try {
      String format = contents.texts().get(FORMAT_KEY);
      if (!FORMAT.equals(format)) {
        throw new InvalidInputException("is no checkpoint that this version of Plumb reads: its format is "
            + (format == null ? "not said" : "\"" + format + "\"") + ", and \"" + FORMAT + "\" is needed");
      }
      return read(contents);
    } catch (InvalidInputException e) {
      throw e.at(file.toString());
    }
  }

  private static Checkpoint read(SafetensorsFile.Contents contents) {
    Map<String, Tensor> tensors =
        contents.tensors().stream().collect(Collectors.toMap(Tensor::name, Function.identity()));
    try {
      int replicas = Integer.parseInt(contents.texts().getOrDefault(REPLICAS_KEY, "1"));
      List<TrainerState> states = new ArrayList<>();
      for (int i = 0; i < replicas; i++) {
        states.add(state(tensors, prefix(i), Optional.ofNullable(contents.texts().get(prefix(i) + END_KEY))));
      }
      SortedMap<String, String> run = new TreeMap<>();
      contents.texts().forEach((key, text) -> {
        if (key.startsWith(RUN_KEY)) {
          run.put(key.substring(RUN_KEY.length()), text);
        }
      });
      return new Checkpoint(states, run);
    } catch (InvalidInputException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      throw new InvalidInputException("is no checkpoint: " + e.getMessage(), e);
    }
  }

  private static TrainerState state(Map<String, Tensor> tensors, String prefix, Optional<String> end) {
    double[] state = values(tensors, prefix + "state");
    double[] parameters = values(tensors, prefix + "parameters");
    if (state.length != 12 || !(tensors.get(prefix + "stream") instanceof Tensor.Integers stream)) {
      throw new InvalidInputException("is no checkpoint: its state is not complete");
    }
    int[] words = new int[stream.values().length];
    for (int i = 0; i < words.length; i++) {
      words[i] = (int) stream.values()[i];
    }
    return new TrainerState(parameters, values(tensors, prefix + "moment1"), values(tensors, prefix + "moment2"),
        (long) whole(state[0]), new NumpyRandom.State(words, (int) whole(state[9]), state[10] != 0, state[11]),
        (int) whole(state[1]), state[2], state[3],
        new RateSchedule.State(state[4], state[5], (int) whole(state[6])),
        values(tensors, prefix + "best"), (int) whole(state[7]), state[8], rows(tensors, prefix + "history"),
        end.map(word -> NamedEnum.parse(TrainerState.End.class, "end", word)));
  }

  private static double whole(double value) {
    if (!(value >= 0 && value <= MAX_EXACT && value == Math.rint(value))) {
      throw new InvalidInputException("a count of " + value);
    }
    return value;
  }

  private static Tensor history(String name, List<EpochMetrics> history) {
    int layers = history.isEmpty() ? 0 : history.get(0).gradientNorms().length;
    int width = ROW_FIGURES + layers;
    double[] values = new double[history.size() * width];
    int i = 0;
    for (EpochMetrics row : history) {
      values[i++] = row.epoch();
      values[i++] = row.trainLoss();
      values[i++] = row.validationLoss();
      values[i++] = row.metric();
      values[i++] = row.learningRate();
      values[i++] = row.seconds();
      for (double norm : row.gradientNorms()) {
        values[i++] = norm;
      }
    }
    return new Tensor.Reals(name, Tensor.Type.F64, List.of(history.size(), width), values);
  }

  private static List<EpochMetrics> rows(Map<String, Tensor> tensors, String name) {
    double[] values = values(tensors, name);
    List<Integer> shape = tensors.get(name).shape();
    if (shape.size() != 2 || shape.get(1) < ROW_FIGURES) {
      throw new InvalidInputException("a history of shape " + shape);
    }
    List<EpochMetrics> rows = new ArrayList<>();
    for (int from = 0; from < values.length; from += shape.get(1)) {
      double[] norms = new double[shape.get(1) - ROW_FIGURES];
      System.arraycopy(values, from + ROW_FIGURES, norms, 0, norms.length);
      rows.add(new EpochMetrics((int) whole(values[from]), values[from + 1], values[from + 2], values[from + 3], values[from + 4],
          values[from + 5], norms));
    }
    return rows;
  }

  private static Tensor reals(String name, double... values) {
    return new Tensor.Reals(name, Tensor.Type.F64, List.of(values.length), values);
  }

  private static double[] values(Map<String, Tensor> tensors, String name) {
    if (!(tensors.get(name) instanceof Tensor.Reals reals)) {
      throw new InvalidInputException("is no checkpoint: it has no " + name);
    }
    return reals.values();
  }
}
