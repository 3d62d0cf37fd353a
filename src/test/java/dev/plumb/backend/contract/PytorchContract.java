package dev.plumb.backend.contract;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.golden.Golden;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What PyTorch computed in double precision, and NumPy where PyTorch's dropout draws other numbers, every backend computes too,
 * as closely as its own precision allows.
 */
public abstract class PytorchContract {
  /** Largest errors, relative to the largest value of the tensor; losses are of 12 steps. */
  public record Allowed(double outputs, double gradients, double losses, double parameters) {
    public static Allowed of(double all) {
      return new Allowed(all, all, all, all);
    }
  }

  private Backend backend;

  protected abstract Backend openBackend();

  protected abstract Precision precision();

  protected abstract Allowed allowed();

  @BeforeEach
  void open() {
    backend = openBackend();
  }

  @AfterEach
  void close() {
    backend.close();
  }

  static Stream<Named<JsonNode>> pytorchCases() {
    return Golden.list(Golden.read("pytorch.json").get("cases")).stream()
        .map(node -> Named.of(node.get("name").textValue(), node));
  }

  /** Trainings whose rows have weights. */
  static Stream<Named<JsonNode>> weightedCases() {
    return Golden.list(Golden.read("weights.json").get("cases")).stream()
        .map(node -> Named.of("weighted " + node.get("name").textValue(), node));
  }

  /** Trainings with normalization or residual connections. */
  static Stream<Named<JsonNode>> normalizationCases() {
    return Golden.list(Golden.read("normalization.json").get("cases")).stream()
        .map(node -> Named.of(node.get("name").textValue(), node));
  }

  @Test
  void thereAreFortyNinePytorchCases() {
    assertEquals(21, pytorchCases().count());
    assertEquals(8, weightedCases().count());
    assertEquals(20, normalizationCases().count());
  }

  @ParameterizedTest
  @MethodSource("normalizationCases")
  void normalizesAsPytorchDoes(JsonNode golden) {
    PytorchNormalization normalization = new PytorchNormalization(golden, training(golden), allowed());
    normalization.check(backend, data(golden, normalization.network(), training(golden).loss()));
  }

  @ParameterizedTest
  @MethodSource({"pytorchCases", "weightedCases"})
  void computesWhatPytorchComputes(JsonNode golden) {
    NetworkSpec network =
        NetworkSpec.of(Activation.of(golden.get("activation").textValue()), Golden.ints(golden.get("layers")));
    TrainingSpec training = training(golden);
    double learningRate = training.learningRate();
    double[] expectedLosses = Golden.flat(golden.get("lossBeforeStep"));
    int[][] batches = Golden.list(golden.get("batches")).stream().map(Golden::ints).toArray(int[][]::new);

    try (TrainingSession session = backend.open(network, training, 1)) {
      session.write(Slot.PARAMETERS, 0, Golden.parameters(golden.get("initialWeights"), golden.get("initialBiases")));
      Dataset data = data(golden, network, training.loss());
      session.bind(data);

      session.run(StepChunk.of(1).learningRate(learningRate).batches(new int[][] {batches[0]}).recordAll().build());
      double[] losses = new double[batches.length];
      losses[0] = session.sync().loss()[0][0];
      double[] outputs = new double[batches[0].length * network.outputs()];
      ((Tapped) session).tap(Tap.PRE, network.layerCount() - 1, 0, outputs);
      assertRelativeToLargest("outputs of the first batch", Golden.flat(golden.get("outputsFirstBatch")), outputs,
          allowed().outputs());
      assertSlices("first gradients", golden.get("gradientsFirstStep").get("dW"), golden.get("gradientsFirstStep").get("db"),
          session, Slot.GRADIENTS,
          allowed().gradients());

      int[][] rest = Arrays.copyOfRange(batches, 1, batches.length);
      session.run(StepChunk.of(rest.length).learningRate(learningRate).batches(rest).recordAll().build());
      double[][] restLosses = session.sync().loss();
      for (int step = 0; step < restLosses.length; step++) {
        losses[step + 1] = restLosses[step][0];
      }
      assertRelativeToLargest("losses", expectedLosses, losses, allowed().losses());
      assertSlices("last gradients", golden.get("gradientsLastStep").get("dW"), golden.get("gradientsLastStep").get("db"),
          session, Slot.GRADIENTS,
          allowed().gradients());
      assertSlices("final parameters", golden.get("finalWeights"), golden.get("finalBiases"), session, Slot.PARAMETERS,
          allowed().parameters());
      if (golden.has("finalLoss")) {
        assertRelativeToLargest("loss in the end", new double[] {golden.get("finalLoss").doubleValue()},
            session.evaluate(data).loss(), allowed().losses());
      }
    }
  }

  static Stream<Named<JsonNode>> dropoutCases() {
    return Golden.list(Golden.read("dropout.json").get("trainings")).stream()
        .map(node -> Named.of(node.get("activation").textValue(), node));
  }

  @ParameterizedTest
  @MethodSource("dropoutCases")
  void trainsWithDropoutAsNumpyDoes(JsonNode golden) {
    NetworkSpec network =
        NetworkSpec.of(Activation.of(golden.get("activation").textValue()), Golden.ints(golden.get("layers")));
    double learningRate = golden.get("learningRate").doubleValue();
    TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Adam.DEFAULT, learningRate, 1).withPrecision(precision())
        .withDropout(new Dropout(golden.get("probability").doubleValue(), golden.get("seed").longValue()));
    int[][] batches = Golden.list(golden.get("batches")).stream().map(Golden::ints).toArray(int[][]::new);
    Dataset data = data(golden, network, training.loss());

    try (TrainingSession session = backend.open(network, training, 1)) {
      session.write(Slot.PARAMETERS, 0, Golden.parameters(golden.get("initialWeights"), golden.get("initialBiases")));
      session.stepsTaken(golden.get("firstStep").longValue());
      session.bind(data);
      StepChunk chunk = StepChunk.of(batches.length).learningRate(learningRate).batches(batches).recordAll().build();
      session.run(chunk.piece(0, 1));
      double[] first = session.sync().loss()[0];
      assertSlices("first gradients", golden.get("gradientsFirstStep").get("dW"), golden.get("gradientsFirstStep").get("db"),
          session, Slot.GRADIENTS, allowed().gradients());
      session.run(chunk.piece(1, batches.length));
      double[] losses = Stream.concat(Stream.of(first), Arrays.stream(session.sync().loss()))
          .mapToDouble(loss -> loss[0]).toArray();
      assertRelativeToLargest("losses", Golden.flat(golden.get("lossBeforeStep")), losses, allowed().losses());
      assertSlices("final parameters", golden.get("finalWeights"), golden.get("finalBiases"), session, Slot.PARAMETERS,
          allowed().parameters());
      assertRelativeToLargest("loss in the end", new double[] {golden.get("finalLoss").doubleValue()},
          session.evaluate(data).loss(), allowed().losses());
    }
  }

  /** Each tensor against its own largest value. */
  private void assertSlices(String what, JsonNode weights, JsonNode biases, TrainingSession session, Slot slot,
      double tolerance) {
    double[] actual = new double[session.layout().size()];
    session.read(slot, 0, actual);
    for (ParameterLayout.Slice slice : session.layout().slices()) {
      double[] expected = Golden.flat((slice.isBias() ? biases : weights).get(slice.layer()));
      double[] part = IntStream.range(0, slice.size()).mapToDouble(i -> actual[slice.offset() + i]).toArray();
      assertRelativeToLargest(what + " " + slice.name(), expected, part, tolerance);
    }
  }

  private TrainingSpec training(JsonNode golden) {
    JsonNode options = golden.get("options");
    TrainingSpec training = TrainingSpec.of(Loss.of(golden.get("loss").textValue()),
        optimizer(golden.get("optimizer").textValue(), options), options.get("lr").doubleValue(), 1).withPrecision(precision());
    return options.has("clip_norm") ? training.withClipNorm(options.get("clip_norm").doubleValue()) : training;
  }

  private static Dataset data(JsonNode golden, NetworkSpec network, Loss loss) {
    double[] x = Golden.flat(golden.get("x"));
    Dataset data = loss == Loss.CROSS_ENTROPY
        ? Dataset.ofClasses(network.inputs(), network.outputs(), x, Golden.ints(golden.get("y")))
        : Dataset.ofTargets(network.inputs(), network.outputs(), x, Golden.flat(golden.get("y")));
    return golden.has("weights") ? data.withWeights(Golden.flat(golden.get("weights"))) : data;
  }

  private static OptimizerSpec optimizer(String name, JsonNode options) {
    double beta1 = options.has("betas") ? options.get("betas").get(0).doubleValue() : OptimizerSpec.Adam.DEFAULT.beta1();
    double beta2 = options.has("betas") ? options.get("betas").get(1).doubleValue() : OptimizerSpec.Adam.DEFAULT.beta2();
    double epsilon = option(options, "eps", 1e-8);
    return switch (name) {
      case "sgd" -> new OptimizerSpec.Sgd(
          option(options, "momentum", 0), options.has("nesterov"), option(options, "weight_decay", 0));
      case "adam" -> new OptimizerSpec.Adam(beta1, beta2, epsilon, option(options, "weight_decay", 0), false);
      case "adamw" -> new OptimizerSpec.Adam(beta1, beta2, epsilon, option(options, "weight_decay", 0.01), true);
      case "rmsprop" -> new OptimizerSpec.RmsProp(option(options, "alpha", 0.99), epsilon, option(options, "weight_decay", 0));
      default -> throw new IllegalArgumentException(name);
    };
  }

  private static double option(JsonNode options, String name, double defaultValue) {
    return options.has(name) ? options.get(name).doubleValue() : defaultValue;
  }
}
