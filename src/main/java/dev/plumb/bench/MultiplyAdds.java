package dev.plumb.bench;

import dev.plumb.model.Precision;
import java.util.Arrays;

/**
 * The processor's peak, as far as Java reaches it: {@value #CHAIN} multiply-adds one behind the other on each of {@value #LENGTH}
 * numbers that stay in the first-level cache. HotSpot's compiler makes vector instructions of the loops, and the processor works
 * at several numbers' chains at once; loading and storing a number is little beside its chain. What a thread does with its numbers
 * needs no other thread and no memory.
 */
final class MultiplyAdds {
  static final int LENGTH = 1024;
  static final int CHAIN = 8;

  /** x = P·x + Q goes to 1 and stays there, far from zeros and infinities. */
  private static final double P = 0.75;
  private static final double Q = 0.25;

  /** Numbers behind a thread's own, so that no two threads write the same cache line. */
  private static final int PADDING = 32;

  /** The compiler is done when the loop has not become faster for so long. */
  private static final double WARM_UP_SECONDS = 0.3;
  private static final double FASTER = 0.8;

  private static final int WARM_UP_ROUNDS = 1000;

  private final Precision precision;
  private final Crew crew;
  private final double[][] doubles;
  private final float[][] floats;

  MultiplyAdds(Precision precision, int threads, Crew crew) {
    this.precision = precision;
    this.crew = crew;
    doubles = new double[threads][LENGTH + PADDING];
    floats = new float[threads][LENGTH + PADDING];
    for (int thread = 0; thread < threads; thread++) {
      Arrays.fill(doubles[thread], 2);
      Arrays.fill(floats[thread], 2);
    }
    warmUp();
  }

  private void warmUp() {
    double best = Double.POSITIVE_INFINITY;
    double sinceBest = 0;
    while (sinceBest < WARM_UP_SECONDS) {
      double seconds = Stretch.seconds(WARM_UP_ROUNDS, this::run);
      sinceBest += seconds;
      if (seconds < FASTER * best) {
        best = seconds;
        sinceBest = 0;
      }
    }
  }

  /** Of one round of all threads; a multiply-add counts as two. */
  static double operations(int threads) {
    return 2.0 * CHAIN * LENGTH * threads;
  }

  /** So many rounds in every thread. */
  void run(int rounds) {
    crew.run(thread -> {
      for (int i = 0; i < rounds; i++) {
        if (precision == Precision.FP64) {
          round(doubles[thread], P, Q);
        } else {
          round(floats[thread], (float) P, (float) Q);
        }
      }
    });
  }

  private static void round(double[] z, double p, double q) {
    for (int i = 0; i < LENGTH; i++) {
      double x = z[i];
      x = Math.fma(x, p, q);
      x = Math.fma(x, p, q);
      x = Math.fma(x, p, q);
      x = Math.fma(x, p, q);
      x = Math.fma(x, p, q);
      x = Math.fma(x, p, q);
      x = Math.fma(x, p, q);
      x = Math.fma(x, p, q);
      z[i] = x;
    }
  }

  private static void round(float[] z, float p, float q) {
    for (int i = 0; i < LENGTH; i++) {
      float x = z[i];
      x = Math.fma(x, p, q);
      x = Math.fma(x, p, q);
      x = Math.fma(x, p, q);
      x = Math.fma(x, p, q);
      x = Math.fma(x, p, q);
      x = Math.fma(x, p, q);
      x = Math.fma(x, p, q);
      x = Math.fma(x, p, q);
      z[i] = x;
    }
  }
}
