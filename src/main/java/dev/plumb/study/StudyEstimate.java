package dev.plumb.study;

import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.BatchOrder;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * An estimate of a study's training time, from a short measurement on the device, and of its memory, by counting. The time is too
 * long when other processes use the processor during the measurement.
 *
 * @param networks the number of networks still to be trained
 * @param steps the steps of all of them together
 * @param bytes host memory of the results and of the largest groups that each device trains at once
 * @param seconds training time of all networks
 * @param isMeasured false if other processes train them: the times then are only in proportion to the work
 * @param networkSeconds training time of one network of each shape
 */
public record StudyEstimate(int networks, double steps, double bytes, double seconds, boolean isMeasured,
    Map<NetworkSpec, Double> networkSeconds) {
  /** Heap for everything else: objects of classes, and room for the garbage collector. */
  private static final double USABLE = 0.7;

  /** Maximum training time: longer studies are almost certainly typos. */
  private static final double MAX_SECONDS = 30 * 24 * 3600.0;

  /** Of no known device: it only has to be the same for all networks. */
  private static final double WORK_PER_SECOND = 1e6;

  private static final int MAX_PROBES = 10;
  private static final long PROBE_NANOS = 50_000_000;
  private static final int MAX_PROBE_STEPS = 4096;
  private static final double MAX_PROBE_SECONDS = 1;

  /**
   * Refuses a study that does not fit into memory, before anything is trained.
   *
   * @param heapBytes the memory that Java may use
   * @throws InvalidInputException when it does not fit; the message has the numbers
   */
  public static void requireFits(StudyRunner runner, long heapBytes) {
    double bytes = bytes(runner);
    if (bytes > USABLE * heapBytes) {
      throw new InvalidInputException(String.format(Locale.ROOT, "%,d networks in %,d cells need about %s of memory, but Java may use"
          + " %s; set PLUMB_JAVA_OPTS=-Xmx%dg (if the machine has that much), or use fewer or smaller networks",
          runner.study().trials(), runner.study().cells().size(), size(bytes), size(USABLE * heapBytes),
          (long) Math.ceil(bytes / USABLE / (1 << 30))));
    }
  }

  /**
   * Refuses a study that takes too long.
   *
   * @throws InvalidInputException when it would take longer than the maximum
   */
  public static StudyEstimate measure(StudyRunner runner, BitSet done) {
    Study study = runner.study();
    Map<NetworkSpec, Double> seconds = new HashMap<>();
    List<TrialGroup> groups = runner.groups(done);
    List<NetworkSpec> shapes = groups.stream().map(TrialGroup::network).distinct()
        .sorted(Comparator.comparingDouble(StudyEstimate::work)).toList();
    double steps = (double) study.training().epochs() * study.stepsPerEpoch();
    int probes = Math.min(MAX_PROBES, shapes.size());
    List<NetworkSpec> probed = new ArrayList<>();
    for (int i = 0; i < probes; i++) {
      probed.add(shapes.get(probes == 1 ? 0 : (int) ((long) i * (shapes.size() - 1) / (probes - 1))));
    }
    for (NetworkSpec shape : runner.isRemote() ? List.<NetworkSpec>of() : probed) {
      TrialGroup group = groups.stream().filter(of -> of.network().equals(shape)).findFirst().orElseThrow();
      double trainings = groups.stream().filter(of -> of.network().equals(shape)).mapToInt(of -> of.numbers().length).sum();
      seconds.put(shape, steps * stepSeconds(runner, group, groups.size(), steps * trainings));
    }
    for (NetworkSpec shape : shapes) {
      if (runner.isRemote()) {
        seconds.put(shape, steps * work(shape) / WORK_PER_SECOND);
        continue;
      }
      NetworkSpec nearest = probed.stream()
          .min(Comparator.comparingDouble(other -> Math.abs(Math.log(work(other) / work(shape))))).orElseThrow();
      seconds.putIfAbsent(shape, seconds.get(nearest) * work(shape) / work(nearest));
    }
    int networks = study.trials() - done.cardinality();
    double all = groups.stream().mapToDouble(group -> group.numbers().length * seconds.get(group.network())).sum();
    if (!runner.isRemote() && all > MAX_SECONDS) {
      throw new InvalidInputException(String.format(Locale.ROOT, "%,d networks of %,.0f steps would take about %,.0f days here;"
          + " use fewer networks or epochs, or another --device", networks, steps, all / 24 / 3600));
    }
    return new StudyEstimate(networks, networks * steps, bytes(runner), all, !runner.isRemote(), seconds);
  }

  /** Returns the training time of a group. */
  public double seconds(TrialGroup group) {
    return group.numbers().length * networkSeconds.get(group.network());
  }

  /**
   * Measures a step of one network while as many train as in the study, in growing chunks, and returns the fastest. Java compiles
   * methods that run often, and code for vectors is slower by orders of magnitude before: chunks are repeated for a second, or for a
   * hundredth of the time that all trainings are estimated to take.
   *
   * @param groups number of groups of the study
   * @param steps the steps of all trainings
   */
  private static double stepSeconds(StudyRunner runner, TrialGroup group, int groups, double steps) {
    int groupsAtOnce = Math.min(groups, runner.groupsAtOnce(group));
    try (TrainingSession session = group.open(runner.backend().sharedBy(groupsAtOnce))) {
      for (int replica = 0; replica < group.numbers().length; replica++) {
        session.write(Slot.PARAMETERS, replica, runner.starts().start(group.numbers()[replica]).parameters());
      }
      session.bind(runner.data());
      int[][] batches = new BatchOrder(runner.data().rows(), group.training().batchSize(), false, null).nextEpoch();
      double fastest = Double.POSITIVE_INFINITY;
      int chunkSteps = 1;
      long begin = System.nanoTime();
      while (true) {
        long start = System.nanoTime();
        session.run(chunk(chunkSteps, batches[0]));
        session.sync();
        long end = System.nanoTime();
        fastest = Math.min(fastest, (end - start) / 1e9 / chunkSteps / group.numbers().length / groupsAtOnce);
        if (end - start < PROBE_NANOS && chunkSteps < MAX_PROBE_STEPS) {
          chunkSteps *= 2;
        } else if ((end - begin) / 1e9 >= Math.min(MAX_PROBE_SECONDS, steps * fastest / 100)) {
          return fastest;
        }
      }
    }
  }

  /** Returns steps that leave the parameters as they are. */
  private static StepChunk chunk(int steps, int[] batch) {
    StepChunk.Builder chunk = StepChunk.of(steps).learningRate(0);
    if (batch != null) {
      int[][] batches = new int[steps][];
      Arrays.fill(batches, batch);
      chunk.batches(batches);
    }
    return chunk.build();
  }

  /** Returns a network's weights and units, weighted by their approximate cost. */
  private static double work(NetworkSpec network) {
    double units = network.widths().stream().mapToDouble(Integer::doubleValue).sum();
    return ParameterLayout.of(network).size() + 8 * units;
  }

  private static double bytes(StudyRunner runner) {
    Study study = runner.study();
    double results = 0;
    for (Study.Cell cell : study.cells()) {
      NetworkSpec network = cell.network();
      double layers = network.layerCount();
      double curve = study.curveEpochs().size();
      results += study.seedsOf(cell) * (300 + 8 * (curve + layers) + 4 * (layers * curve + 2 * layers));
    }
    List<TrialGroup> groups = runner.groups(new BitSet());
    // Other processes have memory of their own.
    double training = runner.isRemote() ? 0 : groups.stream().mapToDouble(group -> Math.min(groups.size(), runner.groupsAtOnce(group))
        * group.numbers().length * runner.replicaBytes(group.network())).max().orElseThrow();
    return results + training + 8.0 * study.data().rows() * 4;
  }

  public static String size(double bytes) {
    return bytes < 1e9 ? String.format(Locale.ROOT, "%.0f MB", Math.ceil(bytes / 1e6)) : String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
  }
}
