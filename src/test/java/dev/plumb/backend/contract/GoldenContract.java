package dev.plumb.backend.contract;

import static dev.plumb.golden.Close.assertRelative;
import static dev.plumb.golden.Close.assertRelativeToLargest;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plumb.backend.Backend;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.data.NotebookData;
import dev.plumb.golden.Golden;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What other programs computed, every backend computes too. In double precision. */
public abstract class GoldenContract {
  private Backend backend;

  protected abstract Backend openBackend();

  /** Largest error of PyTorch's figures, relative to the tensor's largest value. */
  protected abstract double pytorchTolerance();

  /** Largest relative error of each of the notebook's losses and gradient norms. */
  protected abstract double notebookTolerance();

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

  @Test
  void thereAreTwentyOnePytorchCases() {
    assertEquals(21, pytorchCases().count());
  }

  @ParameterizedTest
  @MethodSource("pytorchCases")
  void computesWhatPytorchComputes(JsonNode golden) {
    NetworkSpec network =
        NetworkSpec.of(Activation.of(golden.get("activation").textValue()), Golden.ints(golden.get("layers")));
    JsonNode options = golden.get("options");
    double learningRate = options.get("lr").doubleValue();
    TrainingSpec training = TrainingSpec.of(
        Loss.of(golden.get("loss").textValue()), optimizer(golden.get("optimizer").textValue(), options), learningRate, 1);
    if (options.has("clip_norm")) {
      training = training.withClipNorm(options.get("clip_norm").doubleValue());
    }
    double[] expectedLosses = Golden.flat(golden.get("lossBeforeStep"));
    int[][] batches = Golden.list(golden.get("batches")).stream().map(Golden::ints).toArray(int[][]::new);
    double tolerance = pytorchTolerance();

    try (TrainingSession session = backend.open(network, training, 1)) {
      session.write(Slot.PARAMETERS, 0, Golden.parameters(golden.get("initialWeights"), golden.get("initialBiases")));
      session.bind(data(golden, network, training.loss()));

      session.run(StepChunk.of(1).learningRate(learningRate).batches(new int[][] {batches[0]}).recordAll().build());
      double[] losses = new double[batches.length];
      losses[0] = session.sync().loss()[0][0];
      double[] outputs = new double[batches[0].length * network.outputs()];
      ((Tapped) session).tap(Tap.PRE, network.layerCount() - 1, 0, outputs);
      assertRelativeToLargest("outputs of the first batch", Golden.flat(golden.get("outputsFirstBatch")), outputs, tolerance);
      assertSlices("first gradients", golden.get("gradientsFirstStep").get("dW"), golden.get("gradientsFirstStep").get("db"),
          session, Slot.GRADIENTS);

      int[][] rest = Arrays.copyOfRange(batches, 1, batches.length);
      session.run(StepChunk.of(rest.length).learningRate(learningRate).batches(rest).recordAll().build());
      double[][] restLosses = session.sync().loss();
      for (int step = 0; step < restLosses.length; step++) {
        losses[step + 1] = restLosses[step][0];
      }
      assertRelativeToLargest("losses", expectedLosses, losses, tolerance);
      assertSlices("last gradients", golden.get("gradientsLastStep").get("dW"), golden.get("gradientsLastStep").get("db"),
          session, Slot.GRADIENTS);
      assertSlices("final parameters", golden.get("finalWeights"), golden.get("finalBiases"), session, Slot.PARAMETERS);
    }
  }

  /** Each tensor against its own largest value. */
  private void assertSlices(String what, JsonNode weights, JsonNode biases, TrainingSession session, Slot slot) {
    double[] actual = new double[session.layout().size()];
    session.read(slot, 0, actual);
    for (ParameterLayout.Slice slice : session.layout().slices()) {
      double[] expected = Golden.flat((slice.isBias() ? biases : weights).get(slice.layer()));
      double[] part = IntStream.range(0, slice.size()).mapToDouble(i -> actual[slice.offset() + i]).toArray();
      assertRelativeToLargest(what + " " + slice.name(), expected, part, pytorchTolerance());
    }
  }

  private static Dataset data(JsonNode golden, NetworkSpec network, Loss loss) {
    double[] x = Golden.flat(golden.get("x"));
    return loss == Loss.CROSS_ENTROPY
        ? Dataset.ofClasses(network.inputs(), network.outputs(), x, Golden.ints(golden.get("y")))
        : Dataset.ofTargets(network.inputs(), network.outputs(), x, Golden.flat(golden.get("y")));
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

  private static double option(JsonNode options, String name, double otherwise) {
    return options.has(name) ? options.get(name).doubleValue() : otherwise;
  }

  /** Five and six trainings whose weights come one after the other from the stream that gave the data. */
  @ParameterizedTest
  @ValueSource(strings = {"notebook-seed42.json", "activations-seed42.json"})
  void trainsTheNotebooksNetworks(String file) {
    JsonNode golden = Golden.read(file);
    NumpyRandom stream = new NumpyRandom(golden.get("seed").longValue());
    Dataset data = NotebookData.draw(golden.get("samples").intValue(), stream);
    double learningRate = golden.get("learningRate").doubleValue();
    int epochs = golden.get("epochs").intValue();
    double tolerance = notebookTolerance();
    for (JsonNode expected : golden.get("nets")) {
      NetworkSpec network =
          NetworkSpec.of(Activation.of(expected.get("activation").textValue()), Golden.ints(expected.get("layers")));
      String name = network.shape() + " " + network.activation().key();
      double[] initial = Initializer.NOTEBOOK.draw(network, stream);
      TrainingSpec training = TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, learningRate, epochs);
      try (TrainingSession session = backend.open(network, training, 1)) {
        for (int layer = 0; layer < network.layerCount(); layer++) {
          ParameterLayout.Slice weight = session.layout().weight(layer);
          double[] drawn = IntStream.range(0, weight.size()).mapToDouble(i -> initial[weight.offset() + i]).toArray();
          assertRelativeToLargest(name + " initial weights", Golden.flat(expected.get("initialWeights").get(layer)), drawn, 0);
        }
        session.write(Slot.PARAMETERS, 0, initial);
        session.bind(data);

        session.run(StepChunk.of(1).learningRate(learningRate).recordAll().build());
        StepMetrics first = session.sync();
        assertNorms(name + " first", expected.get("gradNormPerLayerFirstEpoch"), first.gradientNorms()[0][0], tolerance);
        double[] gradients = new double[session.layout().size()];
        session.read(Slot.GRADIENTS, 0, gradients);
        JsonNode firstGradients = expected.get("gradientsFirstEpoch");
        assertRelativeToLargest(name + " first gradients",
            Golden.parameters(firstGradients.get("dW"), firstGradients.get("db")), gradients, tolerance);

        session.run(StepChunk.of(epochs - 1).learningRate(learningRate).recordAll().build());
        StepMetrics rest = session.sync();
        List<Double> losses = new ArrayList<>(List.of(first.loss()[0][0]));
        for (double[] loss : rest.loss()) {
          losses.add(loss[0]);
        }
        expected.get("lossAtEpoch").properties().forEach(entry -> assertRelative(name + " loss at epoch " + entry.getKey(),
            entry.getValue().doubleValue(), losses.get(Integer.parseInt(entry.getKey()) - 1), tolerance));
        assertRelative(name + " final loss", expected.get("finalLoss").doubleValue(), session.evaluate(data).loss()[0], tolerance);
        assertNorms(name + " last", expected.get("gradNormPerLayerLastEpoch"),
            rest.gradientNorms()[epochs - 2][0], tolerance);
        double[] parameters = new double[session.layout().size()];
        session.read(Slot.PARAMETERS, 0, parameters);
        assertRelativeToLargest(name + " final parameters",
            Golden.parameters(expected.get("finalWeights"), expected.get("finalBiases")), parameters, tolerance);
      }
    }
  }

  private static void assertNorms(String what, JsonNode expected, double[] actual, double tolerance) {
    assertEquals(expected.size(), actual.length);
    for (int layer = 0; layer < actual.length; layer++) {
      assertRelative(what + " gradient norm of layer " + layer, expected.get(layer).doubleValue(), actual[layer], tolerance);
    }
  }
}
