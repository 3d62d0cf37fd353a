package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.check.FiniteDifferences;
import dev.plumb.data.Dataset;
import dev.plumb.data.NotebookData;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Keyed;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import dev.plumb.store.AtomicFile;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.Options;

/** {@code plumb check}: a device's gradients against finite differences of its own loss. */
final class CheckCommand implements Command {
  private static final int MOST_SAMPLES = 1_000_000;

  @Override
  public String name() {
    return "check";
  }

  @Override
  public String summary() {
    return "holds a device's gradients against finite differences of its loss";
  }

  @Override
  public String usage() {
    return "[options]";
  }

  @Override
  public String details() {
    return """
        Compares every weight's and bias's gradient with (loss(p + h) - loss(p - h)) / 2h, and prints one line
        a tensor, in the order in which backpropagation reaches them. Coordinates whose difference crosses a
        kink of the activation or the loss are skipped and counted. Exits with 1 and the first tensor out of
        bounds when they disagree.
        """;
  }

  @Override
  public Options options() {
    return Flags.options(Flags.DEVICE, Flags.NO_GRAPH, Flags.LAYERS, Flags.ACTIVATION, Flags.LOSS, Flags.OPTIMIZER, Flags.LEARNING_RATE,
        Flags.INITIALIZER, Flags.DATA, Flags.SAMPLES, Flags.STEPS, Flags.SEED, Flags.JSON);
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    arguments.requireNoOperand();
    Activation activation = arguments.parsed(Flags.ACTIVATION, Activation.TANH.key(), Activation::of);
    List<Integer> widths = arguments.integers(Flags.LAYERS, List.of(3, 8, 8, 1));
    NetworkSpec network = arguments.at(Flags.LAYERS, () -> new NetworkSpec(widths, activation));
    Loss loss = arguments.parsed(Flags.LOSS, Loss.MSE.key(), Loss::of);
    OptimizerSpec optimizer = OptimizerSpec.defaultOf(arguments.parsed(Flags.OPTIMIZER, OptimizerSpec.Kind.SGD.key(),
        word -> Keyed.parse(OptimizerSpec.Kind.class, "optimizer", word)));
    int steps = arguments.integer(Flags.STEPS, 10, 0);
    double learningRate = arguments.number(Flags.LEARNING_RATE, 0.01);
    TrainingSpec training = arguments.at(Flags.LEARNING_RATE, () ->
        TrainingSpec.of(loss, optimizer, learningRate, Math.max(steps, 1)));
    Initializer initializer = arguments.parsed(Flags.INITIALIZER, Initializer.PYTORCH.key(), Initializer::of);
    NumpyRandom stream = new NumpyRandom(arguments.whole(Flags.SEED, 42, 0, NumpyRandom.MAX_SEED));
    Dataset data = data(arguments, network, loss, stream);
    data.requireFits(network, loss);
    double[] parameters = initializer.draw(network, stream);
    Optional<Path> json = arguments.path(Flags.JSON);
    json.ifPresent(AtomicFile::requireWritable);

    try (Backends.Selection device = DeviceChoice.open(arguments, Precision.FP64)) {
      out.println(DeviceChoice.line(device));
      out.println("check: " + network.shape() + " " + activation.key() + ", loss " + loss.key() + ", " + data.rows()
          + " samples, weights " + initializer.key() + ", gradients against finite differences");
      out.println();
      out.flush();
      CheckReport report = new CheckReport();
      try (FiniteDifferences differences = new FiniteDifferences(device.backend(), network, loss, data)) {
        report.add(0, differences.at(parameters));
        if (steps > 0) {
          double[] later = trained(device.backend(), network, training, data, parameters, steps);
          if (!Arrays.stream(later).allMatch(Double::isFinite)) {
            err.println("plumb check: training diverged within its " + steps + " steps, so that there is nothing to check; try a --"
                + Flags.LEARNING_RATE.getLongOpt() + " below " + learningRate);
            return ExitCode.FAILED;
          }
          report.add(steps, differences.at(later));
        }
      }
      report.print(out);
      Optional<String> fault = report.fault();
      fault.ifPresentOrElse(
          line -> err.println("plumb check: " + line),
          () -> out.println("\nall " + report.compared() + " compared gradients agree"));
      out.flush();
      json.ifPresent(file -> AtomicFile.write(file, sink -> report.write(device.backend().device(), network, loss, sink)));
      return fault.isPresent() ? ExitCode.FAILED : ExitCode.DONE;
    }
  }

  private static Dataset data(Arguments arguments, NetworkSpec network, Loss loss, NumpyRandom stream) {
    int samples = (int) arguments.whole(Flags.SAMPLES, 33, 1, MOST_SAMPLES);
    String source = arguments.text(Flags.DATA).orElse("random");
    return switch (source) {
      case "random" -> RandomData.draw(samples, network, loss, stream);
      case "notebook" -> NotebookData.draw(samples, stream);
      default -> throw new InvalidInputException("--data " + source + ": one of random, notebook");
    };
  }

  private static double[] trained(
      Backend backend, NetworkSpec network, TrainingSpec training, Dataset data, double[] parameters, int steps) {
    try (TrainingSession session = backend.open(network, training, 1)) {
      session.write(Slot.PARAMETERS, 0, parameters);
      session.bind(data);
      session.run(StepChunk.of(steps).learningRate(training.learningRate()).build());
      session.sync();
      double[] later = new double[parameters.length];
      session.read(Slot.PARAMETERS, 0, later);
      return later;
    }
  }
}
