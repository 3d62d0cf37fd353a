package dev.plumb.backend.cpu;

import static org.junit.jupiter.api.Assertions.fail;

/** CPU backends for tests; a note, as on a fallback to plain Java, fails the test. */
final class CpuUnderTest {
  private CpuUnderTest() {}

  static CpuBackend open(CpuOptions options) {
    return new CpuBackend(options, note -> fail("a note: " + note));
  }
}
