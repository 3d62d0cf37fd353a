package dev.plumb.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.InvalidInputException;
import org.junit.jupiter.api.Test;

class StepChunkTest {
  @Test
  void ratesMayBeSharedByStepsAndByReplicas() {
    StepChunk one = StepChunk.of(3).learningRate(0.5).build();
    assertEquals(0.5, one.learningRate(2, 7));
    StepChunk byStep = StepChunk.of(2).learningRates(new double[][] {{1}, {2}}).build();
    assertEquals(2, byStep.learningRate(1, 7));
    StepChunk byReplica = StepChunk.of(2).learningRates(new double[][] {{1, 2, 3}}).build();
    assertEquals(3, byReplica.learningRate(1, 2));
  }

  @Test
  void keepsItsOwnCopies() {
    double[][] rates = {{1}, {2}};
    int[][] rows = {{0, 1}, {2, 3}};
    StepChunk.Builder builder = StepChunk.of(2).learningRates(rates).batches(rows).record(0);
    StepChunk chunk = builder.build();
    rates[1][0] = 99;
    rows[0][0] = 99;
    builder.record(1);
    assertEquals(2, chunk.learningRate(1, 0));
    assertArrayEquals(new int[] {0, 1}, chunk.batch(0, 0));
    assertFalse(chunk.records(1));
  }

  @Test
  void batchesMayBeSharedOrEachReplicasOwn() {
    assertNull(StepChunk.of(1).learningRate(0).build().batch(0, 7));
    assertArrayEquals(new int[] {1}, StepChunk.of(1).learningRate(0).batches(new int[][] {{1}}).build().batch(0, 7));
    StepChunk own = StepChunk.of(1).learningRate(0).replicaBatches(new int[][][] {{{1}, {2}}}).build();
    assertArrayEquals(new int[] {2}, own.batch(0, 1));
  }

  @Test
  void pieceHasTheStepsOfTheWhole() {
    StepChunk whole = StepChunk.of(4).learningRates(new double[][] {{1}, {2}, {3}, {4}})
        .batches(new int[][] {{0}, null, {2}, {3}}).record(0).record(2).build();
    StepChunk piece = whole.piece(1, 3);
    assertEquals(2, piece.steps());
    assertEquals(3, piece.learningRate(1, 0));
    assertNull(piece.batch(0, 0));
    assertArrayEquals(new int[] {2}, piece.batch(1, 0));
    assertFalse(piece.records(0));
    assertTrue(piece.records(1));
    assertTrue(piece.recordsNorms(1));
    assertTrue(piece.recordingLosses().records(0));
    assertFalse(piece.recordingLosses().recordsNorms(0));
    assertTrue(piece.recordingLosses().recordsNorms(1));
    assertEquals(0.5, StepChunk.of(3).learningRate(0.5).build().piece(2, 3).learningRate(0, 0));
    assertThrows(IllegalArgumentException.class, () -> whole.piece(2, 2));
  }

  @Test
  void lossesMayBeRecordedWithoutNorms() {
    StepChunk chunk = StepChunk.of(2).learningRate(0).recordLosses().record(1).build();
    assertTrue(chunk.records(0));
    assertFalse(chunk.recordsNorms(0));
    assertTrue(chunk.records(1));
    assertTrue(chunk.recordsNorms(1));
    assertTrue(StepChunk.of(2).learningRate(0).recordAll().build().recordsNorms(0));
  }

  @Test
  void nonsenseIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> StepChunk.of(0));
    assertThrows(IllegalArgumentException.class, () -> StepChunk.of(1).build());
    assertThrows(IllegalArgumentException.class, () -> StepChunk.of(3).learningRates(new double[2][1]));
    assertThrows(InvalidInputException.class, () -> StepChunk.of(1).learningRate(Double.NaN));
    assertThrows(InvalidInputException.class, () -> StepChunk.of(2).learningRates(new double[][] {{0.1}, {-0.1}}));
    assertThrows(IllegalArgumentException.class, () -> StepChunk.of(2).batches(new int[][] {{1}}));
    assertThrows(IllegalArgumentException.class, () -> StepChunk.of(1).batches(new int[][] {{}}));
    assertThrows(IllegalArgumentException.class, () -> StepChunk.of(1).replicaBatches(new int[][][] {{{1}, {1, 2}}}));
    assertThrows(IllegalArgumentException.class, () -> StepChunk.of(1).replicaBatches(new int[][][] {{{1}, null}}));
    assertThrows(IllegalArgumentException.class, () -> StepChunk.of(2).record(2));
  }
}
