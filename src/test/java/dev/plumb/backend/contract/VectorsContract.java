package dev.plumb.backend.contract;

import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.plumb.backend.Slot;
import dev.plumb.backend.TrainingSession;
import dev.plumb.model.Loss;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.TrainingSpec;
import org.junit.jupiter.api.Test;

/** Tests of reading and writing the vectors of a session. */
interface VectorsContract extends Contract {
  @Test
  default void layoutIsTheSharedOne() {
    try (TrainingSession session = session(NETWORK, sgd(), 1)) {
      assertEquals(ParameterLayout.of(NETWORK).slices(), session.layout().slices());
    }
  }

  @Test
  default void parametersAreZeroUntilWritten() {
    try (TrainingSession session = session(NETWORK, sgd(), 2)) {
      assertSameBits("parameters", new double[session.layout().size()], read(session, Slot.PARAMETERS, 1));
    }
  }

  @Test
  default void whatIsWrittenIsReadAndStaysInItsReplica() {
    TrainingSpec adam = training(Loss.MSE, OptimizerSpec.Adam.DEFAULT);
    try (TrainingSession session = session(NETWORK, adam, 3)) {
      for (Slot slot : Slot.values()) {
        for (int replica = 0; replica < 3; replica++) {
          session.write(slot, replica, distinct(session.layout().size(), slot, replica));
        }
      }
      for (Slot slot : Slot.values()) {
        for (int replica = 0; replica < 3; replica++) {
          assertSameBits(slot + " of replica " + replica,
              distinct(session.layout().size(), slot, replica), read(session, slot, replica));
        }
      }
    }
  }

  @Test
  default void wrongLengthsAndMissingMomentsAreRefused() {
    try (TrainingSession session = session(NETWORK, sgd(), 1)) {
      int size = session.layout().size();
      assertThrows(IllegalArgumentException.class, () -> session.read(Slot.PARAMETERS, 0, new double[size + 1]));
      assertThrows(IllegalArgumentException.class, () -> session.write(Slot.PARAMETERS, 0, new double[size - 1]));
      assertThrows(IllegalArgumentException.class, () -> session.read(Slot.MOMENT1, 0, new double[size]));
      assertThrows(IllegalArgumentException.class, () -> session.write(Slot.MOMENT2, 0, new double[size]));
      assertThrows(IllegalArgumentException.class, () -> session.stepsTaken(-1));
    }
  }
}
