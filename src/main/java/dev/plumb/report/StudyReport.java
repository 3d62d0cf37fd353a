package dev.plumb.report;

import dev.plumb.model.TrainingSpec;
import dev.plumb.study.Study;
import dev.plumb.study.StudyResult;
import dev.plumb.study.TrialRow;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The content of a study report: several networks, each trained from one or more seeds.
 *
 * @param epochs number of epochs of every run
 * @param lossAtEpochs epochs, from 1, whose losses are in the table; runs may have losses of more epochs, for the curves
 */
public record StudyReport(
    String title,
    List<String> notes,
    int epochs,
    List<Integer> lossAtEpochs,
    List<Network> networks,
    SortedMap<String, String> configuration,
    SortedMap<String, String> manifest) {

  private static final int MAX_CURVE_POINTS = 120;

  /** Maximum number of losses of all runs; each takes a few dozen bytes. */
  private static final int MAX_LOSSES = 1_000_000;

  public StudyReport {
    notes = List.copyOf(notes);
    lossAtEpochs = List.copyOf(lossAtEpochs);
    networks = List.copyOf(networks);
  }

  /**
   * Returns the report of a study's result.
   *
   * @param result complete
   * @param manifest versions and device
   */
  public static StudyReport of(StudyResult result, SortedMap<String, String> manifest) {
    Study study = result.study();
    List<Network> networks = new ArrayList<>();
    for (Study.Cell cell : study.cells()) {
      List<Run> runs = result.of(cell).stream().map(row -> run(study, row)).toList();
      networks.add(new Network(cell.name(), cell.network().shape(), cell.network().description(), runs));
    }
    return new StudyReport(study.name(), List.of(), study.training().epochs(), study.lossAtEpochs(), networks,
        configuration(study), manifest);
  }

  /** Returns the epochs whose losses are recorded for the curves, the first ones densely; fewer if there are very many runs. */
  public static List<Integer> curveEpochs(int epochs, int networks, int seeds) {
    int points = Math.max(2, Math.min(MAX_CURVE_POINTS, MAX_LOSSES / networks / seeds));
    return IntStream.concat(IntStream.rangeClosed(1, Math.min(epochs, points / 10)),
        IntStream.of(Thinning.spread(epochs, points)).map(i -> i + 1))
        .distinct()
        .sorted()
        .boxed()
        .toList();
  }

  private static Run run(Study study, TrialRow row) {
    SortedMap<Integer, Double> lossAtEpoch = new TreeMap<>();
    for (int i = 0; i < row.losses().length; i++) {
      lossAtEpoch.put(study.curveEpochs().get(i), row.losses()[i]);
    }
    return new Run(study.seedOf(row.trial()), lossAtEpoch, row.finalLoss(), row.gradientNorms(), row.seconds(),
        row.divergedAtEpoch());
  }

  static SortedMap<String, String> configuration(Study study) {
    TrainingSpec training = study.training();
    SortedMap<String, String> configuration = new TreeMap<>();
    configuration.put("samples", Integer.toString(study.data().rows()));
    configuration.put("seed", study.seeds() == 1 ? Long.toString(study.seed())
        : study.seed() + " to " + (study.seed() + study.seeds() - 1));
    configuration.put("initializer", study.describe("initializer", Study.Cell::initializer));
    configuration.put("loss", training.loss().key());
    String optimizer = training.optimizer().toString();
    configuration.put("optimizer", training.optimizer().kind().key() + " "
        + optimizer.substring(optimizer.indexOf('[') + 1, optimizer.indexOf(']')));
    training.clipNorm().ifPresent(norm -> configuration.put("clipNorm", Double.toString(norm)));
    configuration.put("learningRate", study.describe("learning rate", Study.Cell::learningRate));
    configuration.put("epochs", Integer.toString(training.epochs()));
    configuration.put("batchSize", training.batchSize().isPresent()
        ? training.batchSize().getAsInt() + (study.trainer().shuffle() ? ", shuffled" : "")
        : "all rows at once");
    configuration.put("precision", training.precision().key());
    return configuration;
  }

  /**
   * A network and its runs.
   *
   * @param shape the layer widths: 3-6-6-1
   * @param runs one per seed, at least one
   */
  public record Network(String name, String shape, String activation, List<Run> runs) {
    public Network {
      runs = List.copyOf(runs);
      if (runs.isEmpty()) {
        throw new IllegalArgumentException("network \"" + name + "\" needs at least one run");
      }
    }
  }

  /**
   * A training run from one seed.
   *
   * @param lossAtEpoch loss over all rows before that epoch's updates; NaN if training ended earlier
   * @param finalLoss loss after the last update
   * @param gradientNorms Frobenius norms of dW per layer in the last step, output layer included
   */
  public record Run(
      long seed,
      SortedMap<Integer, Double> lossAtEpoch,
      double finalLoss,
      double[] gradientNorms,
      double trainSeconds,
      OptionalInt divergedAtEpoch) {}
}
