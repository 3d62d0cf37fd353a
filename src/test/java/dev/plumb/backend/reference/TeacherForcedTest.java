package dev.plumb.backend.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.Tap;
import dev.plumb.backend.Tapped;
import dev.plumb.backend.TeacherForced;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.TrainingSpec;
import org.junit.jupiter.api.Test;

class TeacherForcedTest {
  private static final StepChunk STEP = StepChunk.of(1).learningRate(0).recordLosses().build();
  private static final double[] PARAMETERS = {3, 1, 5, 7};
  private static final double[][] Z = {{0.5}, {11}};
  private static final double[][] A = {{0.25}, {-1}};
  private static final double[][] DELTA = {{0.125}, {4}};

  @Test
  void everyOperationReadsTheGivenValues() {
    try (TrainingSession session = open(1)) {
      ((TeacherForced) session).force(0, Z, Z, A, DELTA);
      session.run(STEP);
      double slope = 1 - Math.tanh(0.5) * Math.tanh(0.5);
      assertEquals(2 * 3 + 1, tap(session, Tap.PRE, 0));
      assertEquals(Math.tanh(0.5), tap(session, Tap.POST, 0));
      assertEquals(0.25 * 5 + 7, tap(session, Tap.PRE, 1));
      assertEquals(11, tap(session, Tap.POST, 1));
      assertEquals((11 - 1) * (11 - 1), session.sync().loss()[0][0]);
      assertEquals(2 * (11 - 1), tap(session, Tap.DELTA, 1));
      assertEquals(4 * 5 * slope, tap(session, Tap.DELTA, 0));
      assertArrayEquals(new double[] {0.125 * 2, 4 * 5 * slope, 4 * 0.25, 20}, gradients(session, 0));
    }
  }

  @Test
  void onlyTheNextStepOfTheReplicaReadsThem() {
    try (TrainingSession session = open(2);
        TrainingSession other = open(2)) {
      other.run(STEP);
      double[] own = gradients(other, 0);
      ((TeacherForced) session).force(1, Z, Z, A, DELTA);
      session.run(STEP);
      assertArrayEquals(own, gradients(session, 0));
      assertEquals(1, gradients(session, 1)[2]);
      session.run(STEP);
      assertArrayEquals(own, gradients(session, 1));
    }
  }

  @Test
  void valuesOfAnotherBatchAreRefused() {
    try (TrainingSession session = open(1)) {
      double[][] two = {{1, 2}, {3, 4}};
      ((TeacherForced) session).force(0, two, two, two, two);
      String message = assertThrows(IllegalArgumentException.class, () -> session.run(STEP)).getMessage();
      assertEquals("the step has 1 rows, but the values that it must read have 2", message);
    }
  }

  /** Opens a session of a network 1-1-1 with tanh and a row whose feature is 2 and whose target is 1. */
  private static TrainingSession open(int replicas) {
    TrainingSession session = new ReferenceBackend().open(NetworkSpec.of(Activation.TANH, 1, 1, 1),
        TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0, 1), replicas);
    for (int replica = 0; replica < replicas; replica++) {
      session.write(Slot.PARAMETERS, replica, PARAMETERS);
    }
    session.bind(Dataset.ofTargets(1, 1, new double[] {2}, new double[] {1}));
    return session;
  }

  private static double tap(TrainingSession session, Tap where, int layer) {
    double[] value = new double[1];
    ((Tapped) session).tap(where, layer, 0, value);
    return value[0];
  }

  private static double[] gradients(TrainingSession session, int replica) {
    double[] gradients = new double[PARAMETERS.length];
    session.read(Slot.GRADIENTS, replica, gradients);
    return gradients;
  }
}
