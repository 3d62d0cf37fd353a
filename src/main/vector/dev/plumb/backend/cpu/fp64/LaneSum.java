package dev.plumb.backend.cpu.fp64;

import jdk.incubator.vector.DoubleVector;

/**
 * The sum of a vector's lanes, stored and added one by one, so that it has the same bits before and after Java compiles the code. The
 * order of {@link DoubleVector#reduceLanes} is not specified, and compiled code of Java 25 adds in another one than interpreted code.
 */
final class LaneSum {
  private LaneSum() {}

  /**
   * Returns the sum of a stored vector. The number of its lanes is a power of two.
   *
   * @param lanes contains them from index at on
   */
  static double of(double[] lanes, int at) {
    double even = lanes[at];
    if (VectorTile.LANES == 1) {
      return even;
    }
    // Two sums: an addition need not wait for the one before.
    double odd = lanes[at + 1];
    for (int lane = 2; lane < VectorTile.LANES; lane += 2) {
      even += lanes[at + lane];
      odd += lanes[at + lane + 1];
    }
    return even + odd;
  }
}
