package dev.plumb.backend.cpu;

import static org.junit.jupiter.api.Assertions.fail;

/** CPU backends for tests: one that has something to complain of is not the one that was meant to be tested. */
final class CpuUnderTest {
  private CpuUnderTest() {}

  static CpuBackend open(CpuOptions options) {
    return new CpuBackend(options, note -> fail("a note: " + note));
  }
}
