package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.Version;
import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.check.FiniteDifferences;
import dev.plumb.check.GradientCheck;
import dev.plumb.data.Dataset;
import dev.plumb.data.NotebookData;
import dev.plumb.data.RandomData;
import dev.plumb.json.JsonOutput;
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
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.Options;

/** {@code plumb check}: a device's gradients against finite differences of its own loss. */
final class CheckCommand implements Command {
  private static final int MOST_SAMPLES = 1_000_000;

  /** The gradients of all tensors at one point of the training. */
  private record Checked(int afterSteps, List<GradientCheck> tensors) {}

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
    return Flags.options(Flags.DEVICE, Flags.LAYERS, Flags.ACTIVATION, Flags.LOSS, Flags.OPTIMIZER, Flags.LEARNING_RATE,
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
      List<Checked> checked = new ArrayList<>();
      try (FiniteDifferences differences = new FiniteDifferences(device.backend(), network, loss, data)) {
        checked.add(new Checked(0, differences.at(parameters)));
        if (steps > 0) {
          double[] later = trained(device.backend(), network, training, data, parameters, steps);
          checked.add(new Checked(steps, differences.at(later)));
        }
      }
      print(checked, out);
      json.ifPresent(file -> AtomicFile.write(file, stream2 -> write(device.backend(), network, loss, checked, stream2)));
      return verdict(checked, out, err);
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
      long diverged = session.sync().firstNonFinite()[0];
      if (diverged >= 0) {
        throw new InvalidInputException("training was not finite any more at step " + (diverged + 1)
            + ", so that there is nothing to check; use a smaller --" + Flags.LEARNING_RATE.getLongOpt());
      }
      double[] later = new double[parameters.length];
      session.read(Slot.PARAMETERS, 0, later);
      return later;
    }
  }

  private static void print(List<Checked> checked, PrintStream out) {
    TextTable table = new TextTable().right("after").left("tensor").left("shape").right("compared").right("skipped")
        .right("largest error").left("at").right("of its tolerance").left("verdict");
    for (Checked point : checked) {
      for (GradientCheck tensor : point.tensors()) {
        boolean none = tensor.compared() == 0;
        table.row(List.of(
            Integer.toString(point.afterSteps()),
            tensor.slice().name(),
            tensor.slice().isBias()
                ? Integer.toString(tensor.slice().rows())
                : tensor.slice().rows() + "x" + tensor.slice().columns(),
            Integer.toString(tensor.compared()),
            Integer.toString(tensor.skipped()),
            none ? "-" : Decimal.scientific(tensor.error()),
            none ? "-" : tensor.slice().place(tensor.worst()),
            none ? "-" : Decimal.fixed(tensor.units(), 4),
            tensor.ok() ? "ok" : none ? "not checked" : "WRONG"));
      }
    }
    table.print(out);
  }

  private static int verdict(List<Checked> checked, PrintStream out, PrintStream err) {
    int compared = 0;
    for (Checked point : checked) {
      for (GradientCheck tensor : point.tensors()) {
        compared += tensor.compared();
        if (!tensor.ok()) {
          err.println("plumb check: after " + point.afterSteps() + " steps, layer " + tensor.slice().layer() + ", "
              + (tensor.compared() == 0
                  ? tensor.slice().name() + ": every difference crosses a kink, so that nothing could be compared; try fewer --"
                      + Flags.SAMPLES.getLongOpt()
                  : tensor.slice().name() + tensor.slice().place(tensor.worst()) + ": gradient " + tensor.gradient()
                      + ", finite differences " + tensor.difference() + ", the error is "
                      + Decimal.fixed(tensor.units(), 1) + " times what is allowed"));
          return ExitCode.FAILED;
        }
      }
    }
    out.println();
    out.println("all " + compared + " compared gradients agree");
    return ExitCode.DONE;
  }

  private static void write(
      Backend backend, NetworkSpec network, Loss loss, List<Checked> checked, OutputStream out) throws IOException {
    JsonOutput.write(out, json -> {
      json.writeStartObject();
      json.writeStringField("plumb", Version.CURRENT);
      json.writeObjectFieldStart("device");
      json.writeStringField("kind", backend.device().kind().key());
      json.writeStringField("name", backend.device().name());
      json.writeEndObject();
      json.writeStringField("layers", network.shape());
      json.writeStringField("activation", network.activation().key());
      json.writeStringField("loss", loss.key());
      json.writeBooleanField("ok", checked.stream().flatMap(point -> point.tensors().stream()).allMatch(GradientCheck::ok));
      json.writeArrayFieldStart("tensors");
      for (Checked point : checked) {
        for (GradientCheck tensor : point.tensors()) {
          json.writeStartObject();
          json.writeNumberField("afterSteps", point.afterSteps());
          json.writeStringField("tensor", tensor.slice().name());
          json.writeNumberField("compared", tensor.compared());
          json.writeNumberField("skipped", tensor.skipped());
          json.writeNumberField("worstIndex", tensor.worst());
          JsonOutput.number(json, "gradient", tensor.gradient());
          JsonOutput.number(json, "finiteDifference", tensor.difference());
          JsonOutput.number(json, "errorInTolerances", tensor.units());
          json.writeBooleanField("ok", tensor.ok());
          json.writeEndObject();
        }
      }
      json.writeEndArray();
      json.writeEndObject();
    });
  }
}
