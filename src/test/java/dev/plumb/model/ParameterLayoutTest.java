package dev.plumb.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ParameterLayoutTest {
  @Test
  void slicesCoverTheVectorWithoutGapOrOverlap() {
    ParameterLayout layout = ParameterLayout.of(NetworkSpec.of(Activation.RELU, 3, 5, 1, 2));
    int end = 0;
    for (ParameterLayout.Slice slice : layout.slices()) {
      assertEquals(end, slice.offset(), slice.name());
      end += slice.size();
    }
    assertEquals(layout.size(), end);
    assertEquals(3 * 5 + 5 + 5 + 1 + 2 + 2, end);
  }

  @Test
  void weightsAreOutByInAndIndicesAreNamed() {
    ParameterLayout layout = ParameterLayout.of(NetworkSpec.of(Activation.RELU, 3, 5, 1));
    ParameterLayout.Slice weight = layout.weight(0);
    assertEquals("layers.0.weight", weight.name());
    assertEquals(5, weight.rows());
    assertEquals(3, weight.columns());
    assertEquals("[2,1]", weight.place(7));
    assertEquals("[4]", layout.bias(0).place(4));
  }
}
