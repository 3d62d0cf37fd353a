package dev.plumb.backend.contract;

import static dev.plumb.golden.Close.assertNear;
import static dev.plumb.golden.Close.assertRelativeToLargest;

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
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import java.util.Arrays;
import java.util.stream.Stream;

/** One training of normalization.json: a network with normalization or residual connections, in training and evaluation mode. */
final class PytorchNormalization {
  private final JsonNode golden;
  private final NetworkSpec network;
  private final ParameterLayout layout;
  private final TrainingSpec training;
  private final PytorchContract.Allowed allowed;

  PytorchNormalization(JsonNode golden, TrainingSpec plain, PytorchContract.Allowed allowed) {
    this.golden = golden;
    network = NetworkSpec.of(Activation.of(golden.get("activation").textValue()), Golden.ints(golden.get("layers")))
        .withNormalization(Normalization.of(golden.get("normalization").textValue()))
        .withResidual(golden.get("residual").booleanValue());
    layout = ParameterLayout.of(network);
    JsonNode dropout = golden.get("dropout");
    training = dropout == null ? plain
        : plain.withDropout(new Dropout(dropout.get("probability").doubleValue(), dropout.get("seed").longValue()));
    this.allowed = allowed;
  }

  NetworkSpec network() {
    return network;
  }

  void check(Backend backend, Dataset data) {
    int[][] batches = Golden.list(golden.get("batches")).stream().map(Golden::ints).toArray(int[][]::new);
    try (TrainingSession session = backend.open(network, training, 1)) {
      session.write(Slot.PARAMETERS, 0, Golden.flat(golden.get("initialParameters")));
      session.bind(data);
      StepChunk chunk = StepChunk.of(batches.length).learningRate(training.learningRate()).batches(batches).recordAll().build();
      session.run(chunk.piece(0, 1));
      double[] first = session.sync().loss()[0];
      tap(session, Tap.PRE, network.layerCount() - 1, batches[0].length, "outputsFirstBatch");
      tap(session, network.normalization() == Normalization.NONE ? Tap.PRE : Tap.NORMALIZED, 0, batches[0].length,
          "normalizedFirstBatch");
      assertGradients(session, "gradientsFirstStep");
      session.run(chunk.piece(1, batches.length));
      double[] losses = Stream.concat(Stream.of(first), Arrays.stream(session.sync().loss())).mapToDouble(loss -> loss[0]).toArray();
      assertRelativeToLargest("losses", Golden.flat(golden.get("lossBeforeStep")), losses, allowed.losses());
      assertGradients(session, "gradientsLastStep");
      assertParameters(session);
      double[] outputs = new double[data.rows() * network.outputs()];
      session.predict(0, data, outputs);
      assertRelativeToLargest("outputs in evaluation mode", Golden.flat(golden.get("evaluationOutputs")), outputs,
          allowed.parameters());
      assertRelativeToLargest("loss in evaluation mode", new double[] {golden.get("evaluationLoss").doubleValue()},
          session.evaluate(data).loss(), allowed.losses());
    }
  }

  private void tap(TrainingSession session, Tap where, int layer, int batch, String key) {
    double[] values = new double[batch * network.layer(layer).out()];
    ((Tapped) session).tap(where, layer, 0, values);
    assertRelativeToLargest(key, Golden.flat(golden.get(key)), values, allowed.outputs());
  }

  /**
   * Each tensor against its own largest value; the bias before a batch normalization, whose gradient is 0 except for rounding,
   * against the largest gradient.
   */
  private void assertGradients(TrainingSession session, String key) {
    double[] expected = Arrays.copyOf(Golden.flat(golden.get(key)), layout.size());
    double[] actual = new double[layout.size()];
    session.read(Slot.GRADIENTS, 0, actual);
    double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
    for (ParameterLayout.Slice slice : layout.slices()) {
      if (isBeforeBatchNormalization(slice)) {
        for (int i = slice.offset(); i < slice.offset() + slice.size(); i++) {
          assertNear(key + " " + slice.name(), 0, actual[i], 0, allowed.gradients() * largest);
        }
      } else {
        assertRelativeToLargest(key + " " + slice.name(), part(expected, slice), part(actual, slice), allowed.gradients());
      }
    }
  }

  private void assertParameters(TrainingSession session) {
    double[] expected = Golden.flat(golden.get("finalParameters"));
    double[] actual = new double[layout.size()];
    session.read(Slot.PARAMETERS, 0, actual);
    for (ParameterLayout.Slice slice : layout.slices()) {
      assertRelativeToLargest("final " + slice.name(), part(expected, slice), part(actual, slice), allowed.parameters());
    }
  }

  private boolean isBeforeBatchNormalization(ParameterLayout.Slice slice) {
    return slice.isBias() && network.layer(slice.layer()).normalization() == Normalization.BATCH;
  }

  private static double[] part(double[] vector, ParameterLayout.Slice slice) {
    return Arrays.copyOfRange(vector, slice.offset(), slice.offset() + slice.size());
  }
}
