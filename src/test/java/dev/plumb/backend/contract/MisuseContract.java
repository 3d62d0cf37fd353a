package dev.plumb.backend.contract;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.Dataset;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import org.junit.jupiter.api.Test;

/** Tests that invalid calls are rejected. */
interface MisuseContract extends Contract {
  @Test
  default void stepsNeedData() {
    try (TrainingSession session = session(NETWORK, sgd(), 1)) {
      StepChunk chunk = StepChunk.of(1).learningRate(0.1).build();
      assertThrows(IllegalStateException.class, () -> session.run(chunk));
    }
  }

  @Test
  default void dataThatDoesNotFitIsRefused() {
    try (TrainingSession session = session(NETWORK, sgd(), 1)) {
      Dataset narrow = Dataset.ofTargets(2, 2, new double[4], new double[4]);
      Dataset classes = Dataset.ofClasses(3, 2, new double[3], new int[1]);
      assertThrows(InvalidInputException.class, () -> session.bind(narrow));
      assertThrows(InvalidInputException.class, () -> session.bind(classes));
      assertThrows(InvalidInputException.class, () -> session.evaluate(narrow));
      assertThrows(InvalidInputException.class, () -> session.predict(0, narrow, new double[4]));
    }
  }

  @Test
  default void ratesAndBatchesMustBeForTheSessionsReplicas() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    try (TrainingSession session = session(NETWORK, sgd(), 3)) {
      session.bind(data);
      StepChunk twoRates = StepChunk.of(1).learningRates(new double[][] {{0.1, 0.2}}).build();
      StepChunk twoBatches = StepChunk.of(1).learningRate(0.1).replicaBatches(new int[][][] {{{0}, {1}}}).build();
      assertThrows(IllegalArgumentException.class, () -> session.run(twoRates));
      assertThrows(IllegalArgumentException.class, () -> session.run(twoBatches));
    }
  }

  @Test
  default void closedSessionSaysSo() {
    Dataset data = data(NETWORK, Loss.MSE, 13);
    TrainingSession session = started(NETWORK, sgd(), data);
    StepChunk chunk = StepChunk.of(1).learningRate(0.1).build();
    session.close();
    session.close();
    assertThrows(IllegalStateException.class, () -> session.run(chunk));
    assertThrows(IllegalStateException.class, session::sync);
    assertThrows(IllegalStateException.class, () -> session.evaluate(data));
    assertThrows(IllegalStateException.class, () -> session.bind(data));
    assertThrows(IllegalStateException.class, () -> read(session, Slot.PARAMETERS, 0));
  }

  @Test
  default void noReplicasAreRefusedBeforeAnythingIsOpened() {
    assertTrue(backend().refusal(NETWORK, sgd(), 0).isPresent());
    assertTrue(backend().refusal(NETWORK, sgd(), 1).isEmpty());
    assertThrows(InvalidInputException.class, () -> backend().open(NETWORK, sgd(), 0));
  }
}
