package dev.plumb.check;

import dev.plumb.Backends;
import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Measures how near a backend comes to the reference, for the figures of {@link Tolerances}: over many seeds, every activation
 * with a loss, an optimizer and a shape that change from seed to seed, each step of a short training checked. A program:
 * {@code ToleranceSurvey DEVICE PRECISION SEEDS [weights] [normalized]}: with a weight for each row; with normalizations and residual
 * connections.
 */
public final class ToleranceSurvey implements CheckListener {
  private static final int STEPS = 11;
  private static final int[] WIDTHS = {1, 2, 3, 7, 13, 31, 33, 63, 65};
  private static final List<OptimizerSpec> OPTIMIZERS = List.of(
      OptimizerSpec.Sgd.DEFAULT,
      new OptimizerSpec.Sgd(0.9, true, 0.01),
      OptimizerSpec.Adam.DEFAULT,
      OptimizerSpec.Adam.DEFAULT_W,
      OptimizerSpec.RmsProp.DEFAULT);

  private static final double[] DROPOUT = {0, 0.5, 0, 0.1, 0, 0.9};

  /** The largest errors of one quantity. */
  private static final class Largest {
    private long compared;
    private long skipped;
    private double ofLargestElement;
    private double ofAllowed;
    private String where = "";
  }

  private final Map<Quantity, Largest> largest = new EnumMap<>(Quantity.class);
  private String trained;

  public static void main(String[] arguments) {
    Precision precision = Precision.of(arguments[1]);
    try (Backends.Selection device = Backends.open(arguments[0], Backends.Usage.STANDARD)) {
      System.out.println(device.backend().device() + ", " + precision.key());
      ToleranceSurvey survey = new ToleranceSurvey();
      List<String> options = List.of(arguments).subList(3, arguments.length);
      survey.run(device.backend(), precision, Integer.parseInt(arguments[2]), options.contains("weights"), options.contains("normalized"));
      survey.print(System.out);
    }
  }

  /**
   * Trains from each seed from 0 on, in turns without dropout and with much and little of it.
   *
   * @param weighted whether rows have weights, from 0.01 to 100
   * @param normalized whether networks have normalizations and residual connections; layers are then of one width
   */
  void run(Backend device, Precision precision, int seeds, boolean weighted, boolean normalized) {
    CheckedBackend checked = new CheckedBackend(device, Backends.reference(), 1, this);
    for (int seed = 0; seed < seeds; seed++) {
      for (Activation activation : Activation.values()) {
        NumpyRandom stream = new NumpyRandom(seed * 100L + activation.ordinal());
        Loss loss = Loss.values()[(seed + activation.ordinal()) % Loss.values().length];
        OptimizerSpec optimizer = OPTIMIZERS.get((seed / 2 + activation.ordinal()) % OPTIMIZERS.size());
        NetworkSpec network = NetworkSpec.of(activation, width(stream), width(stream), width(stream), width(stream));
        if (normalized) {
          int width = network.widths().get(1);
          network = NetworkSpec.of(activation, network.inputs(), width, width, width, network.outputs())
              .withNormalization(Normalization.values()[(seed + activation.ordinal()) % 3]).withResidual(seed % 2 == 0);
        }
        Dataset data = RandomData.draw(2 * width(stream), network, loss, stream);
        TrainingSpec plain = TrainingSpec.of(loss, optimizer, 0.01, STEPS).withPrecision(precision);
        double dropout = DROPOUT[seed % DROPOUT.length];
        TrainingSpec training = dropout == 0 ? plain : plain.withDropout(new Dropout(dropout, seed));
        trained = ", " + loss.key() + ", " + optimizer.kind().key() + ", dropout " + dropout + ", " + data.rows()
            + " rows, seed " + seed;
        try (TrainingSession session = checked.open(network, training, 1)) {
          session.write(Slot.PARAMETERS, 0, Initializer.PYTORCH.draw(network, stream));
          session.bind(weighted ? data.withWeights(weights(data.rows(), seed)) : data);
          session.run(StepChunk.of(STEPS).learningRate(training.learningRate()).build());
          session.sync();
        }
      }
    }
  }

  private static double[] weights(int rows, int seed) {
    NumpyRandom stream = new NumpyRandom(seed);
    double[] weights = new double[rows];
    Arrays.setAll(weights, row -> Math.pow(10, 4 * stream.randomSample() - 2));
    return weights;
  }

  private static int width(NumpyRandom stream) {
    return WIDTHS[(int) (stream.randomSample() * WIDTHS.length)];
  }

  @Override
  public void checked(CheckedStep step, List<TensorCheck> tensors) {
    for (TensorCheck tensor : tensors) {
      Largest of = largest.computeIfAbsent(tensor.tensor().quantity(), quantity -> new Largest());
      of.compared += tensor.compared();
      of.skipped += tensor.skipped();
      if (tensor.error() > 0) {
        of.ofLargestElement = Math.max(of.ofLargestElement, tensor.error() / tensor.largest());
      }
      if (tensor.units() > of.ofAllowed) {
        of.ofAllowed = tensor.units();
        of.where = step.describe(tensor) + trained;
      }
    }
  }

  @Override
  public void notFinite(CheckedStep before, int replica) {
    throw new IllegalStateException(before + " diverged");
  }

  /** The largest error in units of what is allowed, of any quantity. */
  double largestUnits() {
    return largest.values().stream().mapToDouble(of -> of.ofAllowed).max().orElseThrow();
  }

  void print(PrintStream out) {
    largest.forEach((quantity, of) -> out.printf(Locale.ROOT,
        "%-10s  %9d compared  %6d skipped  of max|reference| %.2e  of allowed %.2e  %s%n", quantity.key(), of.compared, of.skipped, of.ofLargestElement, of.ofAllowed, of.where));
  }
}
