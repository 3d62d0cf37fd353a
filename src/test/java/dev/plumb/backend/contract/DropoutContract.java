package dev.plumb.backend.contract;

import static dev.plumb.golden.Close.assertRelativeToLargest;
import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.StepMetrics;
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
import dev.plumb.model.TrainingSpec;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests of dropout: masks, gradients, replicas, inference. */
interface DropoutContract extends Contract {
  String GOLDEN_MASKS = "dev.plumb.backend.contract.DropoutContract#goldenMasks";

  static Stream<Named<JsonNode>> goldenMasks() {
    return Golden.list(Golden.read("dropout.json").get("masks")).stream()
        .map(node -> Named.of(node.get("layers") + ", " + node.get("rows") + " rows", node));
  }

  /** Every word to its last bit: a unit is kept while the probability is rounded to its word, and dropped at the next one. */
  @Test
  default void wordsAreThoseOfPhilox() {
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, 1, 13, 7, 5, 1);
    for (JsonNode golden : Golden.list(Golden.read("dropout.json").get("words"))) {
      long word = golden.get("word").longValue();
      for (double part : new double[] {0.25, 0.5}) {
        Dropout dropout = new Dropout((word + part) * 0x1p-32, golden.get("seed").longValue());
        double[] factors = factors(network, dropout, golden.get("step").longValue(), 11)[golden.get("layer").intValue()];
        assertEquals(part == 0.5, factors[golden.get("element").intValue()] == 0, golden + " at " + dropout);
      }
    }
  }

  @ParameterizedTest
  @MethodSource(GOLDEN_MASKS)
  default void masksAreTheSameAtEverySize(JsonNode golden) {
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, Golden.ints(golden.get("layers")));
    Dropout dropout = new Dropout(golden.get("probability").doubleValue(), golden.get("seed").longValue());
    double[][] factors = factors(network, dropout, golden.get("step").longValue(), golden.get("rows").intValue());
    for (int layer = 0; layer < network.layerCount() - 1; layer++) {
      double[] expected = golden.get("kept").get(layer).textValue().chars()
          .mapToDouble(kept -> kept == '1' ? 1 / (1 - dropout.probability()) : 0).toArray();
      assertRelativeToLargest("layer " + layer, expected, factors[layer], rounding());
    }
    double[] outputs = new double[factors[network.layerCount() - 1].length];
    Arrays.fill(outputs, 1);
    assertSameBits("outputs, of which none is dropped", outputs, factors[network.layerCount() - 1]);
  }

  /** With weights 0 and biases 1 every Z is 1 and every linear A what it was multiplied by. */
  private double[][] factors(NetworkSpec network, Dropout dropout, long step, int rows) {
    TrainingSpec training = sgd().withDropout(dropout);
    try (TrainingSession session = session(network, training, 1)) {
      double[] parameters = new double[session.layout().size()];
      for (ParameterLayout.Slice slice : session.layout().slices()) {
        Arrays.fill(parameters, slice.offset(), slice.offset() + slice.size(), slice.isBias() ? 1 : 0);
      }
      session.write(Slot.PARAMETERS, 0, parameters);
      session.bind(data(network, Loss.MSE, rows));
      session.stepsTaken(step);
      session.run(StepChunk.of(1).learningRate(0).build());
      session.sync();
      double[][] factors = new double[network.layerCount()][];
      Arrays.setAll(factors, layer -> tap((Tapped) session, network, Tap.POST, layer, 0, rows));
      return factors;
    }
  }

  @Test
  default void shareOfDroppedUnitsIsTheProbability() {
    NetworkSpec network = NetworkSpec.of(Activation.LINEAR, 1, 100, 100, 1);
    double[][] factors = factors(network, new Dropout(0.3, SEED), 0, 100);
    for (int layer = 0; layer < 2; layer++) {
      long dropped = Arrays.stream(factors[layer]).filter(factor -> factor == 0).count();
      // The standard deviation of 10,000 draws is 46.
      assertEquals(3000, dropped, 4 * 46, "dropped in layer " + layer);
    }
    assertFalse(Arrays.equals(factors[0], factors[1]), "layers should differ");
    assertFalse(Arrays.equals(factors[0], factors(network, new Dropout(0.3, SEED), 1, 100)[0]), "steps should differ");
    assertFalse(Arrays.equals(factors[0], factors(network, new Dropout(0.3, SEED + 1), 0, 100)[0]), "seeds should differ");
  }

  /** mae far from its targets hands down the same derivatives whatever is dropped. */
  @ParameterizedTest
  @EnumSource(Activation.class)
  default void activationsAndTheirDerivativesAreMultipliedAlike(Activation activation) {
    NetworkSpec network = NetworkSpec.of(activation, 3, 13, 2);
    double[] targets = new double[2 * 7];
    Arrays.fill(targets, 1e3);
    Dataset drawn = data(network, Loss.MAE, 7);
    double[] x = new double[3 * 7];
    Arrays.setAll(x, i -> 4 * drawn.feature(i / 3, i % 3));
    Dataset data = Dataset.ofTargets(3, 2, x, targets);
    Dropout dropout = new Dropout(0.4, SEED);
    double[] factors = factors(NetworkSpec.of(Activation.LINEAR, 3, 13, 2), dropout, 0, 7)[0];
    TrainingSpec without = training(Loss.MAE, OptimizerSpec.Sgd.DEFAULT);
    try (TrainingSession whole = started(network, without, data);
        TrainingSession dropping = started(network, without.withDropout(dropout), data)) {
      for (TrainingSession session : new TrainingSession[] {whole, dropping}) {
        session.run(StepChunk.of(1).learningRate(0).build());
        session.sync();
      }
      assertSameBits("Z", tap((Tapped) whole, network, Tap.PRE, 0, 0, 7), tap((Tapped) dropping, network, Tap.PRE, 0, 0, 7));
      for (Tap where : new Tap[] {Tap.POST, Tap.DELTA}) {
        double[] expected = tap((Tapped) whole, network, where, 0, 0, 7);
        Arrays.setAll(expected, i -> expected[i] * factors[i]);
        assertRelativeToLargest(where.name(), expected, tap((Tapped) dropping, network, where, 0, 0, 7), rounding());
      }
    }
  }

  /** With derivatives that come from A, from Z, and from neither: backends may keep other things then, and the last step all. */
  @ParameterizedTest
  @EnumSource(names = {"SIGMOID", "SILU", "LINEAR"})
  default void masksFollowTheStepsHoweverTheyAreChunked(Activation activation) {
    NetworkSpec network = NetworkSpec.of(activation, 3, 7, 5, 2);
    Dataset data = data(network, Loss.MSE, 31);
    TrainingSpec training = training(Loss.MSE, OptimizerSpec.Adam.DEFAULT).withDropout(new Dropout(0.3, SEED));
    try (TrainingSession atOnce = started(network, training, data);
        TrainingSession inParts = started(network, training, data)) {
      atOnce.run(StepChunk.of(10).learningRate(0.01).recordAll().build());
      for (int steps : new int[] {1, 2, 7}) {
        inParts.run(StepChunk.of(steps).learningRate(0.01).recordAll().build());
      }
      double[] losses = flat(atOnce.sync().loss());
      assertSameBits("losses", losses, flat(inParts.sync().loss()));
      assertSameBits("parameters", read(atOnce, Slot.PARAMETERS, 0), read(inParts, Slot.PARAMETERS, 0));
    }
  }

  @Test
  default void everyStepDropsOthers() {
    Dataset data = data(NETWORK, Loss.MSE, 31);
    try (TrainingSession session = started(NETWORK, dropping(OptimizerSpec.Sgd.DEFAULT, SEED), data)) {
      // The rate is 0: losses differ only by the dropped units.
      session.run(StepChunk.of(40).learningRate(0).recordAll().build());
      double[] losses = flat(session.sync().loss());
      assertEquals(40, Arrays.stream(losses).distinct().count(), Arrays.toString(losses));
    }
  }

  @Test
  default void resumedTrainingWithDropoutEqualsUninterruptedTraining() {
    OptimizerSpec adam = OptimizerSpec.Adam.DEFAULT;
    Dataset data = data(NETWORK, Loss.MSE, 31);
    TrainingSpec training = dropping(adam, SEED);
    StepChunk half = StepChunk.of(5).learningRate(0.01).recordAll().build();
    try (TrainingSession whole = started(NETWORK, training, data);
        TrainingSession first = started(NETWORK, training, data);
        TrainingSession second = session(NETWORK, training, 1)) {
      whole.run(half);
      whole.sync();
      whole.run(half);
      first.run(half);
      first.sync();
      for (Slot slot : Slot.stateOf(adam)) {
        second.write(slot, 0, read(first, slot, 0));
      }
      second.stepsTaken(first.stepsTaken());
      second.bind(data);
      second.run(half);
      assertSameBits("losses", flat(whole.sync().loss()), flat(second.sync().loss()));
      for (Slot slot : Slot.stateOf(adam)) {
        assertSameBits(slot.name(), read(whole, slot, 0), read(second, slot, 0));
      }
    }
  }

  /** Replica r has the seed + r, in batches of its own. */
  @Test
  default void replicaDropsTheSameUnitsAsTheNetworkTrainedSeparately() {
    int replicas = 3;
    Dataset data = data(NETWORK, Loss.MSE, 13);
    int[][][] batches = {{{0, 3, 5}, {1, 2, 3}, {7, 8, 9}}, {{2, 3, 4}, {9, 10, 11}, {12, 1, 0}}};
    try (TrainingSession together = session(NETWORK, dropping(OptimizerSpec.Adam.DEFAULT, -2), replicas)) {
      for (int replica = 0; replica < replicas; replica++) {
        together.write(Slot.PARAMETERS, replica, weights(NETWORK, SEED));
      }
      together.bind(data);
      together.run(StepChunk.of(2).learningRate(0.01).replicaBatches(batches).recordAll().build());
      StepMetrics metrics = together.sync();
      for (int replica = 0; replica < replicas; replica++) {
        int k = replica;
        try (TrainingSession alone = started(NETWORK, dropping(OptimizerSpec.Adam.DEFAULT, -2 + k), data)) {
          int[][] own = Arrays.stream(batches).map(ofStep -> ofStep[k]).toArray(int[][]::new);
          alone.run(StepChunk.of(2).learningRate(0.01).batches(own).recordAll().build());
          StepMetrics ownMetrics = alone.sync();
          for (int step = 0; step < 2; step++) {
            assertAsAlone("loss of replica " + k, ownMetrics.loss()[step], new double[] {metrics.loss()[step][k]});
          }
          for (Tap where : Tap.of(NETWORK.layer(0))) {
            assertAsAlone(where + " of replica " + k, tap((Tapped) alone, where, 1, 3),
                tap((Tapped) together, NETWORK, where, 1, k, 3));
          }
          assertAsAlone("parameters of replica " + k, read(alone, Slot.PARAMETERS, 0), read(together, Slot.PARAMETERS, k));
        }
      }
    }
  }

  @Test
  default void probabilityOfZeroIsNoDropoutToTheLastBit() {
    Dataset data = data(NETWORK, Loss.MSE, 31);
    TrainingSpec without = training(Loss.MSE, OptimizerSpec.Adam.DEFAULT).withClipNorm(0.5);
    try (TrainingSession plain = started(NETWORK, without, data);
        TrainingSession zero = started(NETWORK, without.withDropout(new Dropout(0, SEED)), data)) {
      for (TrainingSession session : new TrainingSession[] {plain, zero}) {
        session.run(StepChunk.of(9).learningRate(0.01).recordAll().build());
      }
      assertSameBits("losses", flat(plain.sync().loss()), flat(zero.sync().loss()));
      assertSameBits("parameters", read(plain, Slot.PARAMETERS, 0), read(zero, Slot.PARAMETERS, 0));
      for (Tap where : Tap.of(NETWORK.layer(0))) {
        assertSameBits(where.name(), tap((Tapped) plain, where, 1, 31), tap((Tapped) zero, where, 1, 31));
      }
    }
  }

  @Test
  default void nothingIsDroppedOutsideOfSteps() {
    Dataset data = data(NETWORK, Loss.MSE, 31);
    try (TrainingSession dropping = started(NETWORK, dropping(OptimizerSpec.Adam.DEFAULT, SEED), data);
        TrainingSession undisturbed = started(NETWORK, dropping(OptimizerSpec.Adam.DEFAULT, SEED), data);
        TrainingSession plain = session(NETWORK, sgd(), 1)) {
      plain.bind(data);
      for (int part = 0; part < 3; part++) {
        plain.write(Slot.PARAMETERS, 0, read(dropping, Slot.PARAMETERS, 0));
        assertSameBits("prediction", predict(plain, data), predict(dropping, data));
        double[] loss = plain.evaluate(data).loss();
        assertSameBits("evaluation", loss, dropping.evaluate(data).loss());
        StepChunk chunk = StepChunk.of(2).learningRate(0.01).recordAll().build();
        dropping.run(chunk);
        undisturbed.run(chunk);
        double[] ofSteps = flat(dropping.sync().loss());
        // Both losses are of the same numbers, summed in at least single precision.
        assertTrue(Math.abs(ofSteps[0] - loss[0]) > 1e-5 * loss[0], "a step should drop: " + ofSteps[0] + ", " + loss[0]);
        assertSameBits("steps between evaluations", flat(undisturbed.sync().loss()), ofSteps);
      }
      assertArrayEquals(new double[] {1}, factors(NetworkSpec.of(Activation.LINEAR, 1, 1), new Dropout(0.99, SEED), 0, 1)[0],
          "a network without a hidden layer has nothing to drop");
    }
  }

  private TrainingSpec dropping(OptimizerSpec optimizer, long seed) {
    return training(Loss.MSE, optimizer).withDropout(new Dropout(0.3, seed));
  }
}
