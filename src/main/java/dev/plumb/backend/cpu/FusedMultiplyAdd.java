package dev.plumb.backend.cpu;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.Consumer;

/**
 * Tells whether the processor computes {@link Math#fma}, of which all of this backend's sums consist. Otherwise Java computes it with
 * {@link java.math.BigDecimal}: on processors from before 2013, and in virtual machines that hide FMA.
 */
final class FusedMultiplyAdd {
  private static final int CALLS = 200;
  /** Without FMA a call takes about 2 µs; with it, 0.05 µs while the code is interpreted. */
  private static final long MIN_SLOW_NANOS = CALLS * 500L;

  private static boolean checked;

  private FusedMultiplyAdd() {}

  /**
   * Checks once per process.
   *
   * @param onNote receives a note if Java computes in software
   */
  static synchronized void check(Consumer<String> onNote) {
    if (!checked && isSlow() && isOff()) {
      onNote.accept("multiply-adds are computed in software, which is hundreds of times slower: Java finds no FMA instructions on this"
          + " processor; in a virtual machine, select the CPU model of the host");
    }
    checked = true;
  }

  /** Measures first: the JVM's answer takes longer to get than all these calls. */
  private static boolean isSlow() {
    double sum = 0;
    long start = System.nanoTime();
    for (int call = 0; call < CALLS; call++) {
      sum = Math.fma(sum, 0.5, call);
    }
    return System.nanoTime() - start > MIN_SLOW_NANOS && sum > 0;
  }

  private static boolean isOff() {
    try {
      HotSpotDiagnosticMXBean options = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
      return options != null && options.getVMOption("UseFMA").getValue().equals("false");
    } catch (IllegalArgumentException | LinkageError e) {
      // This JVM has no such option, or nobody to ask: there is no note.
      return false;
    }
  }
}
