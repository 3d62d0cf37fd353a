package dev.plumb.random;

import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import dev.plumb.golden.Golden;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class NumpyRandomTest {
  static Stream<Named<JsonNode>> seeds() {
    return Golden.list(Golden.read("numpy-random.json").get("cases")).stream()
        .map(golden -> Named.of("seed " + golden.get("seed"), golden));
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void matchesNumpy(JsonNode golden) {
    assertSameBits("random_sample", Golden.flat(golden.get("randomSample")), draw(8, stream(golden)::randomSample));

    NumpyRandom uniform = stream(golden);
    double[] drawn = draw(700, () -> uniform.uniform(-2, 2));
    double[] picked = Arrays.stream(Golden.ints(golden.get("uniformIndices"))).mapToDouble(i -> drawn[i]).toArray();
    assertSameBits("uniform", Golden.flat(golden.get("uniform(-2,2)")), picked);

    assertSameBits("standard_normal", Golden.flat(golden.get("standardNormal")), draw(9, stream(golden)::standardNormal));
  }

  @Test
  void continuesFromAState() {
    NumpyRandom stream = new NumpyRandom(7);
    for (int before = 0; before < 1300; before++) {
      NumpyRandom other = NumpyRandom.of(stream.state());
      assertEquals(stream.standardNormal(), other.standardNormal(), "after " + before + " draws");
      assertArrayEquals(stream.permutation(3), other.permutation(3), "after " + before + " draws");
      assertEquals(stream.randomSample(), other.randomSample(), "after " + before + " draws");
    }
  }

  /** After any draws, and across the ends of the words that are made at once. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 7, 311, 312, 313, 1000})
  void drawsManyNumbersAsOneByOne(int count) {
    for (int words = 0; words < 3; words++) {
      for (boolean spare : new boolean[] {false, true}) {
        NumpyRandom many = new NumpyRandom(7);
        NumpyRandom oneByOne = new NumpyRandom(7);
        for (NumpyRandom stream : List.of(many, oneByOne)) {
          for (int i = 0; i < words; i++) {
            // One word.
            stream.permutation(2);
          }
          if (spare) {
            stream.standardNormal();
          }
        }
        for (int round = 0; round < 3; round++) {
          double[] drawn = new double[count + 3];
          many.uniform(-0.3, 0.5, drawn, 2, count);
          assertSameBits("uniform", draw(count, () -> oneByOne.uniform(-0.3, 0.5)), Arrays.copyOfRange(drawn, 2, count + 2));
          many.standardNormal(drawn, 2, count);
          assertSameBits("standard_normal", draw(count, oneByOne::standardNormal), Arrays.copyOfRange(drawn, 2, count + 2));
          assertEquals(0, drawn[0] + drawn[1] + drawn[count + 2]);
        }
        assertArrayEquals(oneByOne.state().words(), many.state().words());
        assertEquals(oneByOne.state().position(), many.state().position());
        assertEquals(oneByOne.state().spareNormal(), many.state().spareNormal());
      }
    }
  }

  @Test
  void stateIsACopy() {
    NumpyRandom stream = new NumpyRandom(7);
    NumpyRandom.State state = stream.state();
    double next = stream.randomSample();
    assertEquals(next, NumpyRandom.of(state).randomSample());
    assertEquals(next, NumpyRandom.of(state).randomSample());
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void permutesAsNumpyPermutes(JsonNode golden) {
    NumpyRandom stream = stream(golden);
    for (JsonNode permutation : golden.get("permutations")) {
      assertArrayEquals(Golden.ints(permutation), stream.permutation(permutation.size()));
    }
    assertSameBits("what comes after", Golden.flat(golden.get("afterPermutations")), draw(3, stream::randomSample));
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void keepsTheSecondNormalWhileOthersDraw(JsonNode golden) {
    NumpyRandom stream = stream(golden);
    JsonNode mixed = golden.get("mixed");
    assertSameBits("normals", Golden.flat(mixed.get("normal3")), draw(3, stream::standardNormal));
    assertSameBits("uniforms", Golden.flat(mixed.get("uniform2")), draw(2, () -> stream.uniform(0, 1)));
    assertSameBits("normals", Golden.flat(mixed.get("normal2")), draw(2, stream::standardNormal));
    assertArrayEquals(Golden.ints(mixed.get("permutation5")), stream.permutation(5));
  }

  @Test
  void emptyPermutationDrawsNothing() {
    NumpyRandom stream = new NumpyRandom(1);
    assertEquals(0, stream.permutation(0).length);
    assertEquals(new NumpyRandom(1).randomSample(), stream.randomSample());
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 4294967296L})
  void refusesSeedsThatNumpyRefuses(long seed) {
    assertThrows(IllegalArgumentException.class, () -> new NumpyRandom(seed));
  }

  private static NumpyRandom stream(JsonNode golden) {
    return new NumpyRandom(golden.get("seed").longValue());
  }

  private static double[] draw(int count, DoubleSupplier source) {
    double[] values = new double[count];
    Arrays.setAll(values, i -> source.getAsDouble());
    return values;
  }
}
