package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.plumb.random.NumpyRandom;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BatchOrderTest {
  @Test
  void shuffledBatchesCutOnePermutationAnEpoch() {
    BatchOrder order = new BatchOrder(7, OptionalInt.of(3), true, new NumpyRandom(5));
    NumpyRandom stream = new NumpyRandom(5);
    for (int epoch = 0; epoch < 3; epoch++) {
      int[][] batches = order.nextEpoch();
      assertEquals(3, batches.length);
      assertEquals(1, batches[2].length);
      assertArrayEquals(stream.permutation(7), Stream.of(batches).flatMapToInt(IntStream::of).toArray());
    }
  }

  @Test
  void skippedEpochsDrawWhatTheyWouldHaveDrawn() {
    for (boolean shuffle : new boolean[] {true, false}) {
      NumpyRandom skipping = new NumpyRandom(5);
      NumpyRandom drawing = new NumpyRandom(5);
      new BatchOrder(7, OptionalInt.of(3), shuffle, skipping).skip(2);
      BatchOrder order = new BatchOrder(7, OptionalInt.of(3), shuffle, drawing);
      order.nextEpoch();
      order.nextEpoch();
      assertEquals(drawing.randomSample(), skipping.randomSample());
    }
  }

  @Test
  void unshuffledBatchesFollowTheData() {
    BatchOrder order = new BatchOrder(5, OptionalInt.of(2), false, new NumpyRandom(5));
    assertArrayEquals(new int[][] {{0, 1}, {2, 3}, {4}}, order.nextEpoch());
    assertArrayEquals(new int[][] {{0, 1}, {2, 3}, {4}}, order.nextEpoch());
  }

  @Test
  void allRowsAtOnceDrawNothing() {
    for (OptionalInt batchSize : new OptionalInt[] {OptionalInt.empty(), OptionalInt.of(7)}) {
      NumpyRandom stream = new NumpyRandom(5);
      BatchOrder order = new BatchOrder(7, batchSize, true, stream);
      assertEquals(1, order.stepsPerEpoch());
      assertEquals(1, order.nextEpoch().length);
      assertNull(order.nextEpoch()[0]);
      assertEquals(new NumpyRandom(5).randomSample(), stream.randomSample());
    }
  }
}
