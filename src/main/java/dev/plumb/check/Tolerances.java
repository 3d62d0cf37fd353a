package dev.plumb.check;

import dev.plumb.model.Precision;

/**
 * The largest accepted differences from the double-precision reference within one step, for each precision. {@link Bounds}
 * defines what each is relative to.
 *
 * @param forward for Z and A, relative to the largest element of the layer
 * @param gradient for D, dW and db, likewise
 * @param loss for the loss, relative to it
 * @param update for moments and for the change of the parameters, from the same gradients; parameters and moments are always
 *     stored in single precision at least
 * @param roundoff half the distance from 1 to the next number of the format in which parameters are stored
 * @param smallest normal number: below it a format has fewer digits
 * @param largest finite number
 * @param productsPerSum the number of products that tensor cores add to a sum at once; 0 if sums are not computed by tensor cores
 */
record Tolerances(double forward, double gradient, double loss, double update, double roundoff, double smallest, double largest,
    int productsPerSum) {

  /*
   * Observed by ToleranceSurvey over seeds 0 to 49, which cycle through activations, losses and optimizers, as the largest
   * fraction of the bound. Bounds was tuned on these seeds; the held-out seeds 50 to 119 stay below them in fp32. Double
   * precision has a margin for other orders of summation; on one NVIDIA H200 the largest fraction was 0.094 in fp64
   * (kernels/MEASURED.md). With weights of rows from 0.01 to 100, the CPU backend's was 0.41 in fp32 and 0.009 in fp64.
   *
   *                                               forward   D       gradient  loss    update
   *   fp64, CUDA backend on the host device       0.0075    0.0041  0.0049    0.0008  0
   *   fp32, CUDA backend on the host device       0.31      0.21    0.88      0.019   0.38
   *   fp32, weights up to three roundings off     0.22      0.33    0.89      0.047   0.25
   *   bf16, CUDA backend on the host device       0.18 (Z)  -       0.053     0.0086  0.35
   *   bf16, plain Java in the tests               0.17 (Z)  -       0.11      0.33    0.35
   */
  private static final Tolerances FP64 =
      new Tolerances(1e-13, 1e-12, 1e-11, 1e-12, 0x1p-53, Double.MIN_NORMAL, Double.MAX_VALUE, 0);
  private static final Tolerances FP32 = single(2e-6, 1e-5, 1e-5, 0);
  // On one NVIDIA H200 the largest fraction was 0.25, in six networks.
  private static final Tolerances TF32 = single(2e-3, 5e-3, 1e-3, 4);
  // Each operation is repeated from the device's rounded factors, so it has only the errors of single precision. For A of hidden
  // layers and D, StepComparison adds half a unit in the last place. Rounding uses nearly all of it: the largest fraction of both
  // is 0.999 for A and 0.997 for D. On one NVIDIA H200, tensor cores' sums over 5000 rows were off by 1.1e-5, 0.24 of the bound.
  private static final Tolerances BF16 = single(2e-6, 1e-5, 1e-5, 8);

  static Tolerances of(Precision precision) {
    return switch (precision) {
      case FP64 -> FP64;
      case FP32 -> FP32;
      case TF32 -> TF32;
      case BF16 -> BF16;
    };
  }

  /** TF32 changes only the matrix products: parameters, moments and their arithmetic stay in single precision. */
  private static Tolerances single(double forward, double gradient, double loss, int productsPerSum) {
    return new Tolerances(forward, gradient, loss, 1e-5, 0x1p-24, Float.MIN_NORMAL, Float.MAX_VALUE, productsPerSum);
  }

  /**
   * Returns how far truncation takes a sum of products by tensor cores, relative to the largest partial sum. They truncate the sum
   * in each of ceil(products / productsPerSum) additions: by up to 2·roundoff, on average by half of that, and always towards 0, so
   * that the errors add up. (A100 adds 8 products of bfloat16 and 4 of TF32 at once, later GPUs more: Fasi et al., "Numerical
   * behavior of NVIDIA tensor cores", 2021.)
   */
  double truncation(int products) {
    return productsPerSum == 0 ? 0 : roundoff * Math.ceil((double) products / productsPerSum);
  }
}
