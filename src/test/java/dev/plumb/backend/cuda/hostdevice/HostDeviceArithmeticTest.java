package dev.plumb.backend.cuda.hostdevice;

import static jcuda.driver.JCudaDriver.cuMemcpyDtoH;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoD;
import static jcuda.driver.JCudaDriver.cuModuleLoadData;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.DoubleUnaryOperator;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The host device rounds as PTX says, or as ptxas makes it; CUDA's functions are as exact as NVIDIA documents. */
class HostDeviceArithmeticTest extends HostDeviceFixture {
  private static final int POINTS = 64;

  /**
   * A function of functions_f32 and functions_f64, in their order, with the errors that the CUDA C++ Programming Guide documents.
   */
  private record Function(String name, DoubleUnaryOperator exact, int singleUlps, int doubleUlps) {}

  private static final List<Function> FUNCTIONS = List.of(
      new Function("exp", Math::exp, 1, 1), new Function("tanh", Math::tanh, 2, 2), new Function("log1p", Math::log1p, 1, 1),
      new Function("erf", HostDeviceArithmeticTest::erf, 2, 2), new Function("expm1", Math::expm1, 1, 1), new Function("log", Math::log, 1, 1),
      new Function("sqrt", Math::sqrt, 0, 0), new Function("1/x", x -> 1 / x, 0, 0));

  /** Computes a series of positive terms, exact to some ulps for |x| below 1.5; NaN beyond. */
  private static double erf(double x) {
    if (Math.abs(x) > 1.5) {
      return Double.NaN;
    }
    double sum = 0;
    double term = x;
    for (int n = 1; sum + term != sum; n += 2) {
      sum += term;
      term *= 2 * x * x / (n + 2);
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }

  /** Math's functions are within 1 or 2.5 ulp, the series of erf within 4. */
  private static final double ULPS_OF_REFERENCE = 4;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void functionsAreAsExactAsDocumented(boolean contract) {
    HostDevice.arithmetic(contract, 0);
    cuModuleLoadData(module, ptx);
    for (int first = -40; first < 40; first += 4) {
      double[] points = new double[POINTS];
      for (int i = 0; i < POINTS; i++) {
        points[i] = (float) (first + 4.0 * i / POINTS + 0.001);
      }
      compareSingle(points);
      compareDouble(points);
    }
  }

  private void compareSingle(double[] points) {
    float[] in = new float[POINTS];
    for (int i = 0; i < POINTS; i++) {
      in[i] = (float) points[i];
    }
    CUdeviceptr out = allocate(4L * FUNCTIONS.size() * POINTS);
    launch("functions_f32", 1, POINTS, upload(in), out);
    synchronize();
    float[] results = read(out, FUNCTIONS.size() * POINTS);
    for (int i = 0; i < results.length; i++) {
      Function function = FUNCTIONS.get(i % FUNCTIONS.size());
      double exact = function.exact.applyAsDouble(in[i / FUNCTIONS.size()]);
      assertNear(function, in[i / FUNCTIONS.size()], exact, results[i], Math.ulp((float) exact), function.singleUlps + 0.5);
    }
  }

  private void compareDouble(double[] points) {
    CUdeviceptr in = allocate(8L * POINTS);
    cuMemcpyHtoD(in, Pointer.to(points), 8L * POINTS);
    CUdeviceptr out = allocate(8L * FUNCTIONS.size() * POINTS);
    launch("functions_f64", 1, POINTS, in, out);
    synchronize();
    double[] results = new double[FUNCTIONS.size() * POINTS];
    cuMemcpyDtoH(Pointer.to(results), out, 8L * results.length);
    for (int i = 0; i < results.length; i++) {
      Function function = FUNCTIONS.get(i % FUNCTIONS.size());
      double x = points[i / FUNCTIONS.size()];
      double exact = function.exact.applyAsDouble(x);
      double ulps = function.doubleUlps == 0 ? 0 : function.doubleUlps + ULPS_OF_REFERENCE;
      assertNear(function, x, exact, results[i], Math.ulp(exact), ulps);
    }
  }

  private static void assertNear(Function function, double x, double exact, double result, double ulp, double ulps) {
    String what = function.name + "(" + x + ") = " + result + ", exactly " + exact;
    if (Double.isNaN(exact)) {
      assertTrue(function.name.equals("erf") || Double.isNaN(result), what);
      return;
    }
    if (ulp == Double.POSITIVE_INFINITY) {
      assertEquals(exact, result, what);
      return;
    }
    assertTrue(Math.abs(result - exact) <= ulps * ulp, what);
  }

  /** 1 + 2^-12 squared is 1 + 2^-11 + 2^-24, of which a separate product loses the last term. */
  @Test
  void productAndSumAreRoundedOnceWhereContracted() {
    float a = 1 + 0x1p-12f;
    CUdeviceptr in = upload(new float[] {a, a, -1});
    for (boolean contract : new boolean[] {false, true}) {
      HostDevice.arithmetic(contract, 0);
      cuModuleLoadData(module, ptx);
      CUdeviceptr out = allocate(4);
      launch("product_and_sum_f32", 1, 1, in, out);
      synchronize();
      assertEquals(contract ? 0x1p-11f + 0x1p-24f : 0x1p-11f, read(out, 1)[0]);
    }
  }

  /** Wherever in a thread's frame the product is: a conversion's types are no operands. */
  @Test
  void conversionsDoNotPreventContraction() {
    float a = 1 + 0x1p-12f;
    CUdeviceptr in = upload(new float[] {a, a, -1});
    CUdeviceptr out = allocate(4);
    HostDevice.arithmetic(true, 0);
    int start = ptx.indexOf(".visible .entry product_and_sum_f32(");
    String kernel = ptx.substring(start, ptx.indexOf("// .globl", start));
    for (int others = 1; others <= 64; others++) {
      String converting = kernel.replace("\t.reg .f32 ", "\t.reg .f32 \t%other<" + others + ">;\n\t.reg .b16 \t%rs<1>;\n\t.reg .f32 ")
          .replace("\tret;", "\tcvt.u16.u64 \t%rs0, %rd1;\n\tret;");
      cuModuleLoadData(module, ptx.substring(0, ptx.indexOf("\n.visible .entry")) + "\n" + converting);
      launch("product_and_sum_f32", 1, 1, in, out);
      synchronize();
      assertEquals(0x1p-11f + 0x1p-24f, read(out, 1)[0], others + " other registers");
    }
  }

  @Test
  void approximateInstructionsAreWrongByAsMuchAsIsSet() {
    CUdeviceptr in = upload(new float[] {0.3f, 0.7f, 1.1f, 1.9f});
    float[][] results = new float[2][];
    for (int i = 0; i < 2; i++) {
      HostDevice.arithmetic(false, i);
      CUdeviceptr out = allocate(4L * 4 * FUNCTIONS.size());
      launch("functions_f32", 1, 4, in, out);
      synchronize();
      results[i] = read(out, 4 * FUNCTIONS.size());
    }
    int different = 0;
    for (int i = 0; i < results[0].length; i++) {
      different += results[0][i] != results[1][i] ? 1 : 0;
      assertEquals(results[0][i], results[1][i], 4e-7f * Math.abs(results[0][i]), FUNCTIONS.get(i % FUNCTIONS.size()).name);
    }
    assertTrue(different > 0);
  }
}
