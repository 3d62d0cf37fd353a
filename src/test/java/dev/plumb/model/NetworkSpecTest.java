package dev.plumb.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class NetworkSpecTest {
  @Test
  void hiddenLayersShareTheActivationAndTheLastIsLinear() {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 3, 5, 2);
    assertEquals(2, network.layerCount());
    assertEquals(new LayerSpec(3, 5, Activation.RELU), network.layer(0));
    assertEquals(new LayerSpec(5, 2, Activation.LINEAR), network.layer(1));
  }

  @Test
  void shapeAbbreviatesOnlyLongRuns() {
    assertEquals("3-8-8-8-8-1", NetworkSpec.of(Activation.RELU, 3, 8, 8, 8, 8, 1).shape());
    assertEquals("3-8x8-1", NetworkSpec.of(Activation.RELU, 3, 8, 8, 8, 8, 8, 8, 8, 8, 1).shape());
    assertEquals("2-2-2-2-2-2", NetworkSpec.of(Activation.RELU, 2, 2, 2, 2, 2, 2).shape(), "four hidden layers");
    assertEquals("2-5x2-2", NetworkSpec.of(Activation.RELU, 2, 2, 2, 2, 2, 2, 2).shape(), "five hidden layers");
    assertEquals("3-4-5x8-4-1", NetworkSpec.of(Activation.RELU, 3, 4, 8, 8, 8, 8, 8, 4, 1).shape());
    assertEquals("1-1", NetworkSpec.of(Activation.RELU, 1, 1).shape());
  }

  @Test
  void invalidWidthsAreRefusedWithARemedy() {
    assertRefused("at least two widths", () -> new NetworkSpec(List.of(3), Activation.RELU));
    assertRefused("at least two widths", () -> new NetworkSpec(List.of(), Activation.RELU));
    assertRefused("width 0 at position 2 must be at least 1", () -> NetworkSpec.of(Activation.RELU, 3, 0, 1));
    assertRefused("width -4 at position 1", () -> NetworkSpec.of(Activation.RELU, -4, 1));
    assertRefused("width null", () -> new NetworkSpec(Arrays.asList(3, null), Activation.RELU));
    assertRefused("one of linear, relu", () -> NetworkSpec.of(null, 3, 1));
    assertRefused("make them narrower", () -> NetworkSpec.of(Activation.RELU, 50_000, 50_000, 1));
  }

  private static void assertRefused(String part, Runnable construction) {
    String message = assertThrows(InvalidInputException.class, construction::run).getMessage();
    assertTrue(message.contains(part), message);
  }

  @Test
  void residualConnectionsAreWhereWidthsAgree() {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 4, 4, 4, 7, 7).withResidual(true);
    assertTrue(network.layer(0).residual());
    assertTrue(network.layer(1).residual());
    assertFalse(network.layer(2).residual());
    assertFalse(network.layer(3).residual(), "the output layer");
    assertEquals("relu, residual", network.description());
    NetworkSpec unequal = NetworkSpec.of(Activation.RELU, 4, 7, 5, 3).withResidual(true);
    assertTrue(unequal.isPlain());
    assertEquals("relu", unequal.description());
  }

  @Test
  void normalizationNeedsHiddenLayers() {
    NetworkSpec network = NetworkSpec.of(Activation.RELU, 4, 3).withNormalization(Normalization.BATCH);
    assertTrue(network.isPlain());
    assertFalse(network.usesBatchStatistics());
    assertTrue(NetworkSpec.of(Activation.RELU, 4, 2, 3).withNormalization(Normalization.BATCH).usesBatchStatistics());
  }
}
