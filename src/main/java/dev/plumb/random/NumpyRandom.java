package dev.plumb.random;

/**
 * NumPy's legacy generator, {@code numpy.random.RandomState(seed)}: the same numbers, bit for bit, from the same calls in the
 * same order. MT19937 (Matsumoto and Nishimura 1998), seeded by a 32-bit integer.
 *
 * <p>{@link #standardNormal()} computes a logarithm. NumPy uses the C library's, whose last bit differs between platforms; this
 * class rounds it correctly, which glibc fails to do in about one of a thousand draws. In these a normal may differ from NumPy's
 * in its last bit. Everything else is integer arithmetic and exact scaling.
 *
 * <p>Not thread-safe.
 */
public final class NumpyRandom {
  /** Largest seed that NumPy accepts. */
  public static final long MAX_SEED = 0xFFFF_FFFFL;

  private static final int N = 624;
  private static final int M = 397;
  /** Number of pairs of normals whose logarithms are computed together. */
  private static final int MAX_PAIRS = 256;

  /**
   * State of the generator, as returned by {@code get_state()}.
   *
   * @param words the 624 of MT19937
   * @param position index of the next word, 0 to 624
   * @param hasSpareNormal whether one normal is kept for the next call
   * @param spareNormal that normal; 0 if there is none
   */
  public record State(int[] words, int position, boolean hasSpareNormal, double spareNormal) {
    /** Copies the words. */
    public State {
      if (words.length != N || position < 0 || position > N) {
        throw new IllegalArgumentException("not a state of MT19937: " + words.length + " words, position " + position);
      }
      words = words.clone();
    }
  }

  private final int[] state = new int[N];
  private int next = N;
  private boolean hasSpareNormal;
  private double spareNormal;

  /**
   * Seeds a generator.
   *
   * @param seed 0 to {@link #MAX_SEED}
   * @throws IllegalArgumentException when the seed is out of range
   */
  public NumpyRandom(long seed) {
    if (seed < 0 || seed > MAX_SEED) {
      throw new IllegalArgumentException("seed " + seed + " must lie between 0 and " + MAX_SEED);
    }
    state[0] = (int) seed;
    for (int i = 1; i < N; i++) {
      state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    }
  }

  private NumpyRandom(State from) {
    System.arraycopy(from.words(), 0, state, 0, N);
    next = from.position();
    hasSpareNormal = from.hasSpareNormal();
    spareNormal = from.spareNormal();
  }

  /** Returns a generator that continues from a state: {@code set_state(state)}. */
  public static NumpyRandom of(State state) {
    return new NumpyRandom(state);
  }

  /** Returns the current state: {@code get_state()}. */
  public State state() {
    return new State(state, next, hasSpareNormal, hasSpareNormal ? spareNormal : 0);
  }

  /** Draws one number from [0, 1), with 53 random bits: {@code random_sample()}. */
  public double randomSample() {
    int first = nextInt();
    return sample(first, nextInt());
  }

  private static double sample(int first, int second) {
    return ((first >>> 5) * 67108864.0 + (second >>> 6)) / 9007199254740992.0;
  }

  /** Draws one number from [low, high): {@code uniform(low, high)}. */
  public double uniform(double low, double high) {
    return low + (high - low) * randomSample();
  }

  /**
   * Draws many numbers from [low, high), the same as one by one: {@code uniform(low, high, size)}.
   *
   * @param start index of the first one in the array
   */
  public void uniform(double low, double high, double[] to, int start, int count) {
    int[] words = new int[N];
    int end = start + count;
    for (int i = start; i < end; ) {
      int drawn = Math.min((N - next) / 2, end - i);
      if (drawn == 0) {
        // At most one word is left.
        to[i++] = uniform(low, high);
        continue;
      }
      for (int word = 0; word < 2 * drawn; word++) {
        words[word] = tempered(state[next + word]);
      }
      next += 2 * drawn;
      for (int j = 0; j < drawn; j++) {
        to[i + j] = low + (high - low) * sample(words[2 * j], words[2 * j + 1]);
      }
      i += drawn;
    }
  }

  /**
   * Draws one number from N(0, 1): {@code standard_normal()}. The polar method gives two at a time; the second is kept for the
   * next call, regardless of other draws in between.
   */
  public double standardNormal() {
    if (hasSpareNormal) {
      hasSpareNormal = false;
      return spareNormal;
    }
    double[] pair = new double[2];
    standardNormal(pair, 0, 2);
    spareNormal = pair[1];
    hasSpareNormal = true;
    return pair[0];
  }

  /**
   * Draws many numbers from N(0, 1), the same as one by one: {@code standard_normal(size)}.
   *
   * @param start index of the first one in the array
   */
  public void standardNormal(double[] to, int start, int count) {
    int i = start;
    int end = start + count;
    if (hasSpareNormal && i < end) {
      to[i++] = standardNormal();
    }
    int maxPairs = Math.min(MAX_PAIRS, (end - i) / 2);
    double[] x1 = new double[maxPairs];
    double[] x2 = new double[maxPairs];
    double[] r2 = new double[maxPairs];
    double[] log = new double[maxPairs];
    while (end - i >= 2) {
      int pairs = Math.min(MAX_PAIRS, (end - i) / 2);
      for (int pair = 0; pair < pairs; pair++) {
        do {
          x1[pair] = 2.0 * randomSample() - 1.0;
          x2[pair] = 2.0 * randomSample() - 1.0;
          r2[pair] = x1[pair] * x1[pair] + x2[pair] * x2[pair];
        } while (r2[pair] >= 1.0 || r2[pair] == 0.0);
      }
      ExactLog.log(r2, log, pairs);
      for (int pair = 0; pair < pairs; pair++) {
        double f = Math.sqrt(-2.0 * log[pair] / r2[pair]);
        to[i + 2 * pair] = f * x2[pair];
        to[i + 2 * pair + 1] = f * x1[pair];
      }
      i += 2 * pairs;
    }
    if (i < end) {
      to[i] = standardNormal();
    }
  }

  /** Returns the numbers 0 to n-1 in random order: {@code permutation(n)}. */
  public int[] permutation(int n) {
    int[] values = new int[n];
    for (int i = 0; i < n; i++) {
      values[i] = i;
    }
    shuffle(values);
    return values;
  }

  /** Shuffles an array (Fisher and Yates, from the end): {@code shuffle(values)}. */
  public void shuffle(int[] values) {
    for (int i = values.length - 1; i >= 1; i--) {
      int j = interval(i);
      int swapped = values[i];
      values[i] = values[j];
      values[j] = swapped;
    }
  }

  /** Draws a number from 0 to max inclusive, {@code randint(max + 1)}: masked draws, rejected while they are too large. */
  public int interval(int max) {
    int mask = -1 >>> Integer.numberOfLeadingZeros(max);
    int value;
    do {
      value = nextInt() & mask;
    } while (value > max);
    return value;
  }

  /** Returns the next 32 bits of MT19937. */
  private int nextInt() {
    if (next == N) {
      twist();
      next = 0;
    }
    return tempered(state[next++]);
  }

  private static int tempered(int word) {
    int y = word;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return y ^ (y >>> 18);
  }

  private void twist() {
    for (int i = 0; i < N - M; i++) {
      state[i] = state[i + M] ^ twisted(state[i], state[i + 1]);
    }
    for (int i = N - M; i < N - 1; i++) {
      state[i] = state[i + M - N] ^ twisted(state[i], state[i + 1]);
    }
    state[N - 1] = state[M - 1] ^ twisted(state[N - 1], state[0]);
  }

  private static int twisted(int high, int low) {
    int y = (high & 0x80000000) | (low & 0x7fffffff);
    return (y >>> 1) ^ (-(y & 1) & 0x9908b0df);
  }
}
