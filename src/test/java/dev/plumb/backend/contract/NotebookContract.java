package dev.plumb.backend.contract;

import static dev.plumb.golden.Close.assertNear;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The notebook's trainings, and those of its other activations, come out as NumPy computed them in double precision. */
public abstract class NotebookContract {
  /** Half the distance from 1 to the next double. */
  private static final double ROUNDOFF = 0x1p-53;

  private Backend backend;

  protected abstract Backend openBackend();

  /** Largest relative error of each loss and gradient norm; norms may also have {@link #roundingOfNorms}. */
  protected abstract double tolerance();

  @BeforeEach
  void open() {
    backend = openBackend();
  }

  @AfterEach
  void close() {
    backend.close();
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
    double tolerance = tolerance();
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
        assertNorms(name + " first", expected.get("gradNormPerLayerFirstEpoch"), first.gradientNorms()[0][0], tolerance,
            roundingOfNorms(session, network, data));
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
            rest.gradientNorms()[epochs - 2][0], tolerance, roundingOfNorms(session, network, data));
        double[] parameters = new double[session.layout().size()];
        session.read(Slot.PARAMETERS, 0, parameters);
        assertRelativeToLargest(name + " final parameters",
            Golden.parameters(expected.get("finalWeights"), expected.get("finalBiases")), parameters, tolerance);
      }
    }
  }

  private static void assertNorms(String what, JsonNode expected, double[] actual, double tolerance, double[] rounding) {
    assertEquals(expected.size(), actual.length);
    for (int layer = 0; layer < actual.length; layer++) {
      assertNear(what + " gradient norm of layer " + layer, expected.get(layer).doubleValue(), actual[layer], tolerance,
          rounding[layer]);
    }
  }

  /**
   * Returns what rounding may change in each layer's gradient norm, whatever is left of it. An element of dW = DᵀA is a sum over
   * the rows, whose rounding errors grow with its terms and not with their sum: training makes them cancel (3-6-5-1 linear ends
   * with norms of 2e-6, of terms that sum to 1 without their signs), so the relative error has no bound. Where n terms of about t
   * cancel, partial sums are about √n·t, and n roundings of these add up, as a random walk does, to one rounding of n·t = Σ|d·a|.
   * Observed: 0.4 of that where multiply-adds are rounded once, as a GPU does, and 0.2 on the CPU.
   */
  private static double[] roundingOfNorms(TrainingSession session, NetworkSpec network, Dataset data) {
    int rows = data.rows();
    double[] a = new double[rows * network.inputs()];
    Arrays.setAll(a, i -> data.feature(i / network.inputs(), i % network.inputs()));
    double[] rounding = new double[network.layerCount()];
    for (int layer = 0; layer < rounding.length; layer++) {
      int in = network.layer(layer).in();
      int out = network.layer(layer).out();
      double[] delta = new double[rows * out];
      ((Tapped) session).tap(Tap.DELTA, layer, 0, delta);
      double squares = 0;
      for (int at = 0; at < in * out; at++) {
        double terms = 0;
        for (int row = 0; row < rows; row++) {
          terms += Math.abs(delta[row * out + at / in] * a[row * in + at % in]);
        }
        squares += terms * terms;
      }
      rounding[layer] = 4 * ROUNDOFF * Math.sqrt(squares);
      a = new double[rows * out];
      ((Tapped) session).tap(Tap.POST, layer, 0, a);
    }
    return rounding;
  }
}
