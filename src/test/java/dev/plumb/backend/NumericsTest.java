package dev.plumb.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.Precision;
import java.util.List;
import org.junit.jupiter.api.Test;

class NumericsTest {
  private static final Numerics CPU = Numerics.of(DeviceInfo.Kind.CPU, Precision.FP32);

  @Test
  void backendPrecisionAndJavaAreAlwaysThere() {
    assertEquals(List.of("backend", "java", "precision"), List.copyOf(CPU.entries().keySet()));
    assertEquals("cpu", CPU.entries().get("backend"));
    assertEquals("fp32", CPU.entries().get("precision"));
    assertTrue(CPU.entries().get("java").startsWith(Runtime.version().feature() + ", "), CPU.entries().get("java"));
  }

  @Test
  void differencesNameEachEntryWithBothValues() {
    Numerics other = CPU.with("backend", "cuda").with("GPU", "H200");
    assertEquals(List.of(), CPU.differences(Numerics.of(DeviceInfo.Kind.CPU, Precision.FP32)));
    assertEquals(List.of("GPU was \"none\", now \"H200\"", "backend was \"cpu\", now \"cuda\""), CPU.differences(other));
    assertEquals(List.of("GPU was \"H200\", now \"none\"", "backend was \"cuda\", now \"cpu\""), other.differences(CPU));
  }

  @Test
  void severalTrainingsHaveTheValuesOfAll() {
    Numerics rows = CPU.with("vectors", "plain Java");
    Numerics products = CPU.with("products", "OpenBLAS 0.3, kernels ZEN");
    Numerics wide = CPU.with("products", "Java's Vector API, 512 bits");
    Numerics all = rows.and(products).and(wide);
    assertEquals("plain Java", all.entries().get("vectors"));
    assertEquals("Java's Vector API, 512 bits; OpenBLAS 0.3, kernels ZEN", all.entries().get("products"));
    assertEquals(all, wide.and(products).and(rows).and(products));
  }

  @Test
  void textReadsBack() {
    Numerics numerics = CPU.with("products", "a: b, c");
    assertEquals(numerics, Numerics.parse(numerics.text()));
  }
}
