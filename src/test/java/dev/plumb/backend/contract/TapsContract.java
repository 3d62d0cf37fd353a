package dev.plumb.backend.contract;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.model.Loss;
import dev.plumb.model.ParameterLayout;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Tests of the intermediate values of a step. */
interface TapsContract extends Contract {
  @Test
  default void tapsAreConsistent() {
    Dataset data = data(NETWORK, Loss.MSE, 5);
    try (TrainingSession session = started(NETWORK, sgd(), data)) {
      Tapped taps = (Tapped) session;
      session.run(StepChunk.of(1).learningRate(0).recordAll().build());
      session.sync();
      double[] gradients = read(session, Slot.GRADIENTS, 0);
      int last = NETWORK.layerCount() - 1;
      assertRelativeToLargest("outputs", predict(session, data), tap(taps, Tap.PRE, last, 5), rounding());
      assertSameBits("linear output", tap(taps, Tap.PRE, last, 5), tap(taps, Tap.POST, last, 5));
      for (int layer = 0; layer <= last; layer++) {
        int units = NETWORK.layer(layer).out();
        double[] delta = tap(taps, Tap.DELTA, layer, 5);
        double[] biasGradient = new double[units];
        for (int i = 0; i < delta.length; i++) {
          biasGradient[i % units] += delta[i];
        }
        ParameterLayout.Slice bias = session.layout().bias(layer);
        assertRelativeToLargest("db of layer " + layer, biasGradient,
            Arrays.copyOfRange(gradients, bias.offset(), bias.offset() + bias.size()), 10 * rounding());
        if (layer < last) {
          double[] expected = Arrays.stream(tap(taps, Tap.PRE, layer, 5)).map(Math::tanh).toArray();
          assertRelativeToLargest("activation of layer " + layer, expected, tap(taps, Tap.POST, layer, 5), rounding());
        }
      }
      assertThrows(IllegalArgumentException.class, () -> taps.tap(Tap.PRE, 0, 0, new double[1]));
    }
  }

  @Test
  default void tapsAreOfTheParametersBeforeTheUpdate() {
    Dataset data = data(NETWORK, Loss.MSE, 5);
    try (TrainingSession standing = started(NETWORK, sgd(), data); TrainingSession moving = started(NETWORK, sgd(), data)) {
      standing.run(StepChunk.of(1).learningRate(0).build());
      moving.run(StepChunk.of(1).learningRate(0.5).build());
      standing.sync();
      moving.sync();
      for (int layer = 0; layer < NETWORK.layerCount(); layer++) {
        for (Tap where : Tap.of(NETWORK.layer(layer))) {
          assertSameBits(where + " of layer " + layer, tap((Tapped) standing, where, layer, 5), tap((Tapped) moving, where, layer, 5));
        }
      }
    }
  }

  @Test
  default void tapsAreOfTheLastStepAndItsBatch() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    try (TrainingSession session = started(NETWORK, sgd(), data)) {
      Tapped taps = (Tapped) session;
      assertThrows(IllegalStateException.class, () -> tap(taps, Tap.PRE, 0, 13));
      session.run(StepChunk.of(2).learningRate(0).batches(new int[][] {null, {4, 9}}).build());
      session.sync();
      double[] expected = predict(session, pick(data, new int[] {4, 9}));
      assertRelativeToLargest("outputs", expected, tap(taps, Tap.PRE, NETWORK.layerCount() - 1, 2), rounding());
    }
  }
}
