package dev.plumb.backend.cpu.blas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cpu.engine.Gemm;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every way to multiply matrices, in both precisions, against plain loops. Run twice by Maven: as Java starts by itself, and with
 * the Vector API.
 */
class GemmTest {
  private static final int[] SIZES = {1, 2, 3, 7, 13, 31, 33, 65, 127, 129};

  /** @param epsilon of its precision; matrices are given in double precision all the same */
  private record Way(String name, double epsilon, Gemm<double[]> gemm) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** A product of matrices that lie somewhere inside their arrays. */
  private record Case(boolean transposeA, boolean transposeB, int m, int n, int k, Place a, Place b, Place c) {
    void multiply(Gemm<double[]> gemm, double[] aValues, double[] bValues, double[] cValues) {
      rows(gemm, 0, m, aValues, bValues, cValues);
    }

    /** Some rows of it. */
    void rows(Gemm<double[]> gemm, int from, int to, double[] aValues, double[] bValues, double[] cValues) {
      int aFrom = a.offset() + (transposeA ? from : from * a.stride());
      gemm.multiply(transposeA, transposeB, to - from, n, k, aValues, aFrom, a.stride(), bValues, b.offset(), b.stride(),
          cValues, c.offset() + from * c.stride(), c.stride());
    }

    double a(double[] values, int i, int p) {
      return transposeA ? values[a.at(p, i)] : values[a.at(i, p)];
    }

    double b(double[] values, int p, int j) {
      return transposeB ? values[b.at(j, p)] : values[b.at(p, j)];
    }
  }

  private record Place(int rows, int columns, int offset, int stride) {
    static Place tight(int rows, int columns) {
      return new Place(rows, columns, 0, columns);
    }

    static Place loose(Random random, int rows, int columns) {
      return new Place(rows, columns, random.nextInt(5), columns + random.nextInt(4));
    }

    int at(int row, int column) {
      return offset + row * stride + column;
    }

    /** The matrix ends where the array does: what is read or written behind it is found. */
    int length() {
      return at(rows - 1, columns - 1) + 1;
    }
  }

  private static Case tight(boolean transposeA, boolean transposeB, int m, int n, int k) {
    return new Case(transposeA, transposeB, m, n, k,
        Place.tight(transposeA ? k : m, transposeA ? m : k), Place.tight(transposeB ? n : k, transposeB ? k : n),
        Place.tight(m, n));
  }

  static Stream<Way> ways() {
    OpenBlas inPlace = assertLoaded();
    OpenBlas copying = OpenBlas.copying();
    return Stream.concat(ownCode(), Stream.of(
        new Way("OpenBLAS, double", 0x1p-53, inPlace.doubles()),
        new Way("OpenBLAS, float", 0x1p-24, inDoubles(inPlace.floats())),
        new Way("on copies, double", 0x1p-53, copying.doubles()),
        new Way("on copies, float", 0x1p-24, inDoubles(copying.floats()))));
  }

  static Stream<Way> ownCode() {
    Stream<Way> plainJava = Stream.of(
        new Way("plain Java, double", 0x1p-53, new dev.plumb.backend.cpu.fp64.BlockedGemm()),
        new Way("plain Java, float", 0x1p-24, inDoubles(new dev.plumb.backend.cpu.fp32.BlockedGemm())));
    return Boolean.getBoolean("plumb.test.vector") ? Stream.concat(plainJava, withVectorApi()) : plainJava;
  }

  /** Whatever the length of this processor's vectors: they are used for wide ones alone, and right for all. */
  @SuppressWarnings("unchecked")
  private static Stream<Way> withVectorApi() {
    return Stream.of(
        new Way("Vector API, double", 0x1p-53, (Gemm<double[]>) vectorGemm("fp64")),
        new Way("Vector API, float", 0x1p-24, inDoubles((Gemm<float[]>) vectorGemm("fp32"))));
  }

  private static Object vectorGemm(String precision) {
    try {
      return Class.forName("dev.plumb.backend.cpu." + precision + ".VectorGemm").getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private static OpenBlas assertLoaded() {
    OpenBlas.Loading loading = OpenBlas.load();
    assertTrue(loading instanceof OpenBlas.Loaded, () -> "the tests want OpenBLAS: " + loading);
    OpenBlas openBlas = ((OpenBlas.Loaded) loading).openBlas();
    assertEquals("OpenBLAS", openBlas.doubles().name());
    return openBlas;
  }

  /** Writes back what has changed, alone: other threads may be at work on the rest. */
  private static Gemm<double[]> inDoubles(Gemm<float[]> gemm) {
    return new Gemm<>() {
      @Override
      public String name() {
        return gemm.name();
      }

      @Override
      public void multiply(boolean transposeA, boolean transposeB, int m, int n, int k, double[] a, int aOffset, int aStride,
          double[] b, int bOffset, int bStride, double[] c, int cOffset, int cStride) {
        float[] result = narrow(c);
        float[] before = result.clone();
        gemm.multiply(
            transposeA, transposeB, m, n, k, narrow(a), aOffset, aStride, narrow(b), bOffset, bStride, result, cOffset, cStride);
        for (int i = 0; i < c.length; i++) {
          if (Float.floatToRawIntBits(before[i]) != Float.floatToRawIntBits(result[i])) {
            c[i] = result[i];
          }
        }
      }
    };
  }

  private static float[] narrow(double[] values) {
    float[] narrow = new float[values.length];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (float) values[i];
    }
    return narrow;
  }

  /** Small whole numbers: whatever the order of summation, the result is exact. */
  @ParameterizedTest
  @MethodSource("ways")
  void everySizeTranspositionStrideAndOffsetComesOutExactlyAndNothingElseIsTouched(Way way) {
    Random random = new Random(42);
    for (int m : SIZES) {
      for (int n : SIZES) {
        for (int k : SIZES) {
          for (int transposed = 0; transposed < 4; transposed++) {
            boolean transposeA = transposed % 2 == 1;
            boolean transposeB = transposed / 2 == 1;
            assertExact(way.gemm(), random, new Case(transposeA, transposeB, m, n, k,
                Place.loose(random, transposeA ? k : m, transposeA ? m : k),
                Place.loose(random, transposeB ? n : k, transposeB ? k : n), Place.loose(random, m, n)));
          }
        }
      }
    }
  }

  /** More than one block in every direction, in plain Java and in OpenBLAS. */
  @ParameterizedTest
  @MethodSource("ways")
  void largeMatricesComeOutExactly(Way way) {
    Random random = new Random(43);
    assertExact(way.gemm(), random, tight(false, false, 150, 1100, 450));
    assertExact(way.gemm(), random, tight(true, true, 70, 530, 800));
    assertExact(way.gemm(), random, tight(false, true, 1100, 90, 450));
    assertExact(way.gemm(), random, tight(true, false, 1100, 5, 450));
    // Rows 4 KiB apart, which are copied first.
    assertExact(way.gemm(), random, tight(false, false, 101, 40, 1024));
    assertExact(way.gemm(), random, tight(true, false, 1024, 40, 600));
  }

  private static void assertExact(Gemm<double[]> gemm, Random random, Case product) {
    double[] a = wholeNumbers(random, product.a().length());
    double[] b = wholeNumbers(random, product.b().length());
    double[] c = filled(product.c().length(), Double.NaN);
    double[] expected = c.clone();
    for (int i = 0; i < product.m(); i++) {
      for (int j = 0; j < product.n(); j++) {
        double sum = 0;
        for (int p = 0; p < product.k(); p++) {
          sum += product.a(a, i, p) * product.b(b, p, j);
        }
        expected[product.c().at(i, j)] = sum;
      }
    }
    product.multiply(gemm, a, b, c);
    if (!Arrays.equals(expected, c)) {
      assertArrayEquals(expected, c, product.toString());
    }
  }

  private static double[] wholeNumbers(Random random, int length) {
    double[] numbers = new double[length];
    Arrays.setAll(numbers, i -> random.nextInt(17) - 8);
    return numbers;
  }

  private static double[] filled(int length, double value) {
    double[] values = new double[length];
    Arrays.fill(values, value);
    return values;
  }

  /** The bound of any order of summation: k·epsilon·Σ|a|·|b|, with as much again for the inputs of single precision. */
  @ParameterizedTest
  @MethodSource("ways")
  void realNumbersComeOutWithinRounding(Way way) {
    Random random = new Random(44);
    Case product = tight(false, true, 67, 129, 1000);
    double[] a = gaussians(random, product.a().length());
    double[] b = gaussians(random, product.b().length());
    double[] c = new double[product.c().length()];
    product.multiply(way.gemm(), a, b, c);
    for (int i = 0; i < product.m(); i++) {
      for (int j = 0; j < product.n(); j++) {
        double sum = 0;
        double size = 0;
        for (int p = 0; p < product.k(); p++) {
          sum += product.a(a, i, p) * product.b(b, p, j);
          size += Math.abs(product.a(a, i, p) * product.b(b, p, j));
        }
        assertEquals(sum, c[product.c().at(i, j)], (product.k() + 2) * way.epsilon() * size);
      }
    }
  }

  private static double[] gaussians(Random random, int length) {
    double[] values = new double[length];
    Arrays.setAll(values, i -> (float) random.nextGaussian());
    return values;
  }

  @ParameterizedTest
  @MethodSource("ways")
  void nanAndInfinityReachTheirRowsAndColumnsAndNoOther(Way way) {
    for (boolean transposeA : new boolean[] {false, true}) {
      for (int n : new int[] {3, 40, 129}) {
        Case product = tight(transposeA, false, 50, n, 33);
        double[] a = filled(product.a().length(), 1);
        double[] b = filled(product.b().length(), 1);
        a[transposeA ? product.a().at(20, 7) : product.a().at(7, 20)] = Double.NaN;
        a[transposeA ? product.a().at(21, 9) : product.a().at(9, 21)] = Double.POSITIVE_INFINITY;
        b[product.b().at(32, 2)] = Double.NEGATIVE_INFINITY;
        b[product.b().at(21, 1)] = 0;
        double[] c = filled(product.c().length(), Double.NaN);
        product.multiply(way.gemm(), a, b, c);
        for (int i = 0; i < product.m(); i++) {
          for (int j = 0; j < n; j++) {
            double ordinary = j == 2 ? Double.NEGATIVE_INFINITY : j == 1 ? 32 : 33;
            double infinite = j == 2 || j == 1 ? Double.NaN : Double.POSITIVE_INFINITY;
            double expected = i == 7 ? Double.NaN : i == 9 ? infinite : ordinary;
            assertEquals(expected, c[product.c().at(i, j)], product + " at " + i + ", " + j);
          }
        }
      }
    }
  }

  /** A zero in B takes nothing away. */
  @ParameterizedTest
  @MethodSource("ways")
  void nanTimesZeroIsNan(Way way) {
    Case product = tight(false, false, 40, 50, 20);
    double[] a = filled(product.a().length(), Double.NaN);
    double[] c = new double[product.c().length()];
    product.multiply(way.gemm(), a, new double[product.b().length()], c);
    assertArrayEquals(filled(c.length, Double.NaN), c);
  }

  /** Garbage collection moves arrays about: where they lie must not matter. */
  @ParameterizedTest
  @MethodSource("ways")
  void sameProductGivesTheSameBitsWhereverItsArraysLie(Way way) {
    Random random = new Random(45);
    for (int n : new int[] {5, 64, 129, 200}) {
      Case product = tight(false, true, 129, n, 300);
      double[] a = gaussians(random, product.a().length());
      double[] b = gaussians(random, product.b().length());
      double[] c = new double[product.c().length()];
      product.multiply(way.gemm(), a, b, c);
      for (int shift = 1; shift < 8; shift++) {
        Case shifted = new Case(false, true, 129, n, 300, new Place(129, 300, shift, 300), new Place(n, 300, 8 - shift, 300),
            new Place(129, n, shift / 2, n));
        double[] again = new double[shifted.c().length()];
        shifted.multiply(way.gemm(), shifted(a, shift), shifted(b, 8 - shift), again);
        assertArrayEquals(c, Arrays.copyOfRange(again, shift / 2, again.length));
      }
    }
  }

  private static double[] shifted(double[] values, int shift) {
    double[] shifted = new double[values.length + shift];
    System.arraycopy(values, 0, shifted, shift, values.length);
    return shifted;
  }

  /** OpenBLAS does not promise this: its kernels for the last rows of a matrix may sum up in another order. */
  @ParameterizedTest
  @MethodSource("ownCode")
  void inOwnCodeRowsDoNotDependOnWhatIsComputedWithThem(Way way) {
    Random random = new Random(46);
    for (boolean transposeA : new boolean[] {false, true}) {
      for (int n : new int[] {1, 20, 96, 97, 600}) {
        Case product = tight(transposeA, !transposeA, 200, n, 301);
        double[] a = gaussians(random, product.a().length());
        double[] b = gaussians(random, product.b().length());
        double[] whole = new double[product.c().length()];
        product.multiply(way.gemm(), a, b, whole);
        for (int tile : new int[] {1, 7, 64, 128}) {
          double[] tiled = new double[whole.length];
          for (int from = 0; from < product.m(); from += tile) {
            product.rows(way.gemm(), from, Math.min(product.m(), from + tile), a, b, tiled);
          }
          assertArrayEquals(whole, tiled, "tiles of " + tile);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void rightMatrixOnceTakenGivesTheBitsOfWholeProducts(Way way) {
    Random random = new Random(48);
    Gemm.RightOperand<double[]> right = way.gemm().newRightOperand();
    for (boolean transposeB : new boolean[] {false, true}) {
      for (int n : new int[] {200, 33, 1}) {
        Case product = tight(transposeB, transposeB, 96, n, 301);
        double[] a = gaussians(random, product.a().length());
        double[] b = gaussians(random, product.b().length());
        double[] expected = new double[product.c().length()];
        product.rows(way.gemm(), 0, 48, a, b, expected);
        product.rows(way.gemm(), 48, 96, a, b, expected);
        double[] c = filled(expected.length, Double.NaN);
        right.set(transposeB, n, 301, b, 0, product.b().stride());
        for (int to = transposeB ? n : 301, size = 1; to > 0; to -= size, size = size % 13 + 1) {
          right.pack(Math.max(0, to - size), to);
        }
        for (int from : new int[] {48, 0}) {
          right.multiply(transposeB, 48, a, transposeB ? from : from * 301, product.a().stride(), c, from * n, n);
        }
        assertArrayEquals(expected, c, product.toString());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void threadsAtOnceComputeWhatOneAfterTheOtherDoes(Way way) throws Exception {
    Random random = new Random(47);
    Case product = tight(true, false, 192, 130, 140);
    double[] a = gaussians(random, product.a().length());
    double[] b = gaussians(random, product.b().length());
    double[] expected = new double[product.c().length()];
    for (int from = 0; from < product.m(); from += 48) {
      product.rows(way.gemm(), from, from + 48, a, b, expected);
    }
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      for (int round = 0; round < 30; round++) {
        double[] c = filled(expected.length, Double.NaN);
        List<Callable<Void>> tiles = new ArrayList<>();
        for (int first = 0; first < product.m(); first += 48) {
          int from = first;
          tiles.add(() -> {
            product.rows(way.gemm(), from, from + 48, a, b, c);
            return null;
          });
        }
        for (Future<Void> tile : threads.invokeAll(tiles)) {
          tile.get();
        }
        assertArrayEquals(expected, c, "round " + round);
      }
    } finally {
      threads.shutdown();
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void whatDoesNotLieInsideItsArrayIsRefusedBeforeAnythingIsTouched(Way way) {
    double[] a = filled(12, 1);
    double[] b = filled(20, 1);
    double[] c = filled(15, 7);
    // C [3 x 5] = A [3 x 4]·B [4 x 5], each filling its array.
    way.gemm().multiply(false, false, 3, 5, 4, a, 0, 4, b, 0, 5, c, 0, 5);
    assertArrayEquals(filled(15, 4), c);
    int[][] wrong = {
        {3, 5, 4, 1, 4, 0, 5, 0, 5}, {3, 5, 4, 0, 4, 1, 5, 0, 5}, {3, 5, 4, 0, 4, 0, 5, 1, 5},
        {3, 5, 4, -1, 4, 0, 5, 0, 5}, {3, 5, 4, 0, 4, -1, 5, 0, 5}, {3, 5, 4, 0, 4, 0, 5, -1, 5},
        {3, 5, 4, 0, 5, 0, 5, 0, 5}, {3, 5, 4, 0, 4, 0, 6, 0, 5}, {3, 5, 4, 0, 4, 0, 5, 0, 6},
        {3, 5, 4, 0, 3, 0, 5, 0, 5}, {3, 5, 4, 0, 4, 0, 4, 0, 5}, {3, 5, 4, 0, 4, 0, 5, 0, 4},
        {4, 5, 4, 0, 4, 0, 5, 0, 5}, {3, 6, 4, 0, 4, 0, 6, 0, 6}, {3, 5, 5, 0, 5, 0, 5, 0, 5},
        {0, 5, 4, 0, 4, 0, 5, 0, 5}, {3, 0, 4, 0, 4, 0, 5, 0, 5}, {3, 5, 0, 0, 4, 0, 5, 0, 5}, {-3, 5, 4, 0, 4, 0, 5, 0, 5},
        {1 << 30, 5, 4, 0, 4, 0, 5, 0, 5}, {3, 5, 4, 0, Integer.MAX_VALUE, 0, 5, 0, 5},
        {3, 5, 4, Integer.MAX_VALUE, 4, 0, 5, 0, 5}};
    for (int[] w : wrong) {
      assertThrows(IndexOutOfBoundsException.class,
          () -> way.gemm().multiply(false, false, w[0], w[1], w[2], a, w[3], w[4], b, w[5], w[6], c, w[7], w[8]),
          Arrays.toString(w));
      assertArrayEquals(filled(15, 4), c);
    }
    assertThrows(IndexOutOfBoundsException.class, () -> way.gemm().multiply(true, false, 3, 5, 4, a, 0, 4, b, 0, 5, c, 0, 5));
    assertThrows(IndexOutOfBoundsException.class, () -> way.gemm().multiply(false, true, 3, 5, 4, a, 0, 4, b, 0, 5, c, 0, 5));
    assertThrows(NullPointerException.class, () -> way.gemm().multiply(false, false, 3, 5, 4, a, 0, 4, null, 0, 5, c, 0, 5));
  }
}
