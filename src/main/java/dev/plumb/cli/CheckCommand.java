package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.backend.Backend;
import dev.plumb.backend.PlannedSession;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.check.CheckMode;
import dev.plumb.check.CheckedBackend;
import dev.plumb.check.FiniteDifferences;
import dev.plumb.data.Dataset;
import dev.plumb.data.NotebookData;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import dev.plumb.store.AtomicFile;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.Options;

/** {@code plumb check}: compares a device with the reference, and gradients with finite differences. */
final class CheckCommand implements Command {
  private static final int MAX_SAMPLES = 1_000_000;

  /** A training from given initial weights. */
  private record Case(NetworkSpec network, TrainingSpec training, Dataset data, double[] parameters, int steps) {
    TrainingSession open(Backend backend) {
      TrainingSession session = backend.open(network, training, 1);
      try {
        session.write(Slot.PARAMETERS, 0, parameters);
        session.bind(data);
      } catch (RuntimeException e) {
        session.close();
        throw e;
      }
      return session;
    }
  }

  private final DeviceChoice devices;

  CheckCommand(DeviceChoice devices) {
    this.devices = devices;
  }

  @Override
  public String name() {
    return "check";
  }

  @Override
  public String summary() {
    return "Check a device against the reference, and gradients against finite differences";
  }

  @Override
  public String usage() {
    return "[options]";
  }

  @Override
  public String details() {
    return """
        Compares two steps: one from the initial weights, and one after --steps training steps. The device
        and the reference run each of them from the same state, and all tensors are compared in the order of
        computation: pre-activations (pre), normalized pre-activations (normalized) and activations (post)
        of each layer, gradients with respect to pre-activations (delta), the loss, the gradients of the
        parameters, and the moments, parameters and running statistics after the update. Prints one line
        per tensor. Elements for which device and reference are on different sides of a kink, such as 0 for
        relu, are skipped and counted. With --normalization or --residual the reference reads the device's
        values, and nothing is skipped.

        In fp64, every gradient is also compared with finite differences of the loss,
        (loss(p + h) - loss(p - h)) / 2h; with --device reference, this is the only comparison. Parameters
        for which the step from p - h to p + h crosses a kink are skipped and counted. With --dropout, every
        evaluation of the loss drops the units that the first step drops.

        If they disagree, names the first tensor out of bounds on stderr and exits with 1, in every mode.
        """;
  }

  @Override
  public String examples() {
    return """
        plumb check --device cuda
        plumb check --device cpu --layers 784,128,10 --loss cross_entropy
        plumb check --device reference --activation relu
        """;
  }

  @Override
  public Options options() {
    return Flags.options(Flags.DEVICE, Flags.NO_GRAPH, Flags.PLANNER, Flags.THREADS,
        Flags.precision("fp32; fp64 on the reference"), Flags.MODE, Flags.LAYERS,
        Flags.ACTIVATION, Flags.NORMALIZATION, Flags.RESIDUAL, Flags.LOSS, Flags.OPTIMIZER, Flags.LEARNING_RATE, Flags.DROPOUT,
        Flags.INITIALIZER, Flags.DATA, Flags.SAMPLES, Flags.STEPS, Flags.SEED, Flags.JSON);
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    arguments.requireNoOperand();
    Activation activation = arguments.parsed(Flags.ACTIVATION, Activation.TANH.key(), Activation::of);
    List<Integer> widths = arguments.integers(Flags.LAYERS, List.of(3, 8, 8, 1));
    Normalization normalization = arguments.parsed(Flags.NORMALIZATION, Normalization.NONE.key(), Normalization::of);
    NetworkSpec network = arguments.at(Flags.LAYERS,
        () -> new NetworkSpec(widths, activation, normalization, arguments.has(Flags.RESIDUAL)));
    Loss loss = arguments.parsed(Flags.LOSS, Loss.MSE.key(), Loss::of);
    OptimizerSpec optimizer = OptimizerSpec.defaultOf(arguments.parsed(Flags.OPTIMIZER, OptimizerSpec.Kind.SGD.key(),
        OptimizerSpec.Kind::of));
    int steps = arguments.integer(Flags.STEPS, 10, 0);
    double learningRate = arguments.number(Flags.LEARNING_RATE, 0.01);
    TrainingSpec withoutDropout = arguments.at(Flags.LEARNING_RATE, () ->
        TrainingSpec.of(loss, optimizer, learningRate, Math.max(steps, 1)));
    Initializer initializer = arguments.parsed(Flags.INITIALIZER, Initializer.PYTORCH.key(), Initializer::of);
    long seed = arguments.integer(Flags.SEED, 42, 0, NumpyRandom.MAX_SEED);
    double dropout = arguments.number(Flags.DROPOUT, 0);
    TrainingSpec training = dropout == 0 ? withoutDropout
        : withoutDropout.withDropout(arguments.at(Flags.DROPOUT, () -> new Dropout(dropout, seed)));
    NumpyRandom stream = new NumpyRandom(seed);
    Dataset data = data(arguments, network, loss, stream);
    data.requireFits(network, loss);
    training.requireFits(network, data.rows());
    double[] parameters = initializer.draw(network, stream);
    CheckMode mode = arguments.parsed(Flags.MODE, CheckMode.FAIL.key(), CheckMode::of);
    Optional<Path> json = arguments.path(Flags.JSON);
    new CommandFiles(arguments).writes(Flags.JSON).check();

    try (Backends.Selection device = devices.open(arguments, err)) {
      boolean isReference = DeviceChoice.isReference(device);
      Precision defaultPrecision = isReference ? Precision.FP64 : Precision.FP32;
      Precision precision = arguments.parsed(Flags.PRECISION, defaultPrecision.key(), Precision::of);
      DeviceChoice.requirePrecision(device, precision);
      TrainingSpec spec = arguments.at(Flags.LEARNING_RATE, () -> training.withPrecision(precision));
      Case checked = new Case(network, spec, data, parameters, steps);
      out.println(DeviceChoice.line(device));
      out.println("check: " + network.shape() + " " + network.description() + ", loss " + loss.key() + ", optimizer "
          + optimizer.kind().key() + (dropout == 0 ? "" : ", dropout " + dropout) + ", " + data.rows()
          + " samples, initializer " + initializer.key() + ", " + precision.key());
      out.flush();
      Optional<CrossCheckReport> crossCheck =
          isReference ? Optional.empty() : Optional.of(crossCheck(device.backend(), checked, out));
      CheckReport differences = new CheckReport();
      boolean finite = crossCheck.stream().noneMatch(CrossCheckReport::diverged);
      if (finite && precision == Precision.FP64) {
        finite = compareGradients(device.backend(), checked, differences);
      }
      List<String> faults = new ArrayList<>(crossCheck.map(CrossCheckReport::faults).orElse(List.of()));
      differences.fault().ifPresent(faults::add);
      print(crossCheck, differences, mode, out);
      if (!finite) {
        faults.add("training diverged within " + steps + " steps, so there is nothing to check; try --"
            + Flags.LEARNING_RATE.getLongOpt() + " below " + learningRate);
      } else if (faults.isEmpty()) {
        crossCheck.ifPresent(report ->
            out.println("\nall " + report.compared() + " compared values agree with the reference"));
        if (differences.compared() > 0) {
          out.println("\nall " + differences.compared() + " compared gradients agree with finite differences");
        }
      }
      out.flush();
      faults.stream().limit(mode == CheckMode.REPORT ? faults.size() : 1)
          .forEach(line -> err.println("plumb check: " + line));
      if (finite) {
        json.ifPresent(file -> AtomicFile.write(file, sink ->
            differences.write(device.backend().device(), network, checked.training(), crossCheck, sink)));
      }
      return faults.isEmpty() ? ExitCode.DONE : ExitCode.FAILED;
    }
  }

  private static void print(
      Optional<CrossCheckReport> crossCheck, CheckReport differences, CheckMode mode, PrintStream out) {
    crossCheck.ifPresent(report -> {
      out.println("\ncompared with the reference:\n");
      report.print(out);
      if (mode == CheckMode.HISTOGRAM) {
        out.println();
        report.printHistogram(out);
      }
    });
    if (!differences.isEmpty()) {
      out.println("\ngradients compared with finite differences of the loss:\n");
      differences.print(out);
    }
  }

  /** Compares the first step and the one after {@code steps} steps on the device and on the reference. */
  private static CrossCheckReport crossCheck(Backend device, Case checked, PrintStream out) {
    CrossCheckReport report = new CrossCheckReport();
    int every = Math.max(checked.steps(), 1);
    // Not closed here: the caller closes the device, and the reference owns no resources.
    CheckedBackend checkedBackend = new CheckedBackend(device, Backends.reference(), every, report);
    try (TrainingSession session = checked.open(checkedBackend)) {
      if (session instanceof PlannedSession planned) {
        planned.planner().ifPresent(planner -> out.println("planner: " + planner.key()));
        out.flush();
      }
      if (checked.steps() > 0) {
        session.run(StepChunk.of(checked.steps()).learningRate(checked.training().learningRate()).build());
      }
      session.run(StepChunk.of(1).learningRate(checked.training().learningRate()).build());
      session.sync();
    }
    return report;
  }

  /**
   * Compares gradients with finite differences at the initial weights and after {@code steps} steps.
   *
   * @return false if the weights after those steps are not finite
   */
  private static boolean compareGradients(Backend device, Case checked, CheckReport report) {
    try (FiniteDifferences differences =
        new FiniteDifferences(
            device, checked.network(), checked.training().loss(), checked.training().dropout(), checked.data())) {
      report.add(0, differences.at(checked.parameters()));
      if (checked.steps() > 0) {
        double[] trained = trainedParameters(device, checked);
        if (!Arrays.stream(trained).allMatch(Double::isFinite)) {
          return false;
        }
        report.add(checked.steps(), differences.at(trained));
      }
      return true;
    }
  }

  private static Dataset data(Arguments arguments, NetworkSpec network, Loss loss, NumpyRandom stream) {
    int samples = (int) arguments.integer(Flags.SAMPLES, 33, 1, MAX_SAMPLES);
    String source = arguments.text(Flags.DATA).orElse("random");
    return switch (source) {
      case "random" -> RandomData.draw(samples, network, loss, stream);
      case "notebook" -> NotebookData.draw(samples, stream);
      default -> throw new InvalidInputException("--data " + source + ": must be random or notebook");
    };
  }

  private static double[] trainedParameters(Backend backend, Case checked) {
    try (TrainingSession session = checked.open(backend)) {
      session.run(StepChunk.of(checked.steps()).learningRate(checked.training().learningRate()).build());
      session.sync();
      double[] parameters = new double[checked.parameters().length];
      session.read(Slot.PARAMETERS, 0, parameters);
      return parameters;
    }
  }
}
