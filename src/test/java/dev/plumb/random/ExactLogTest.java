package dev.plumb.random;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.math.MathContext;
import org.junit.jupiter.api.Test;

class ExactLogTest {
  private static final MathContext DIGITS = new MathContext(45);

  @Test
  void isCorrectlyRounded() {
    NumpyRandom stream = new NumpyRandom(11);
    for (int i = 0; i < 2000; i++) {
      // Over the whole range of what the polar method passes, down to 2^-104, and above 1 too.
      double x = Math.scalb(1 + stream.randomSample(), (int) stream.uniform(-104, 3));
      assertEquals(highPrecision(x).doubleValue(), ExactLog.log(x), "log of " + x + ", draw " + i);
    }
  }

  @Test
  void isExactAtOneAndNearIt() {
    assertEquals(0, ExactLog.log(1));
    assertEquals(highPrecision(Math.nextUp(1)).doubleValue(), ExactLog.log(Math.nextUp(1)));
    assertEquals(highPrecision(Math.nextDown(1)).doubleValue(), ExactLog.log(Math.nextDown(1)));
  }

  @Test
  void severalAtOnceEqualOneByOne() {
    double[] x = new double[301];
    new NumpyRandom(12).uniform(0, 1.5, x, 0, x.length);
    double[] logs = new double[x.length];
    ExactLog.log(x, logs, x.length - 1);
    for (int i = 0; i < x.length - 1; i++) {
      assertEquals(ExactLog.log(x[i]), logs[i], "log of " + x[i]);
    }
    assertEquals(0, logs[x.length - 1], "beyond the count");
  }

  /** log x to 40 digits and more: log of m·2^e, log m = 2 atanh((m-1)/(m+1)) summed in decimals. */
  private static BigDecimal highPrecision(double x) {
    int exponent = Math.getExponent(x);
    BigDecimal m = new BigDecimal(Math.scalb(x, -exponent));
    BigDecimal ln2 = twiceAtanh(BigDecimal.ONE.divide(BigDecimal.valueOf(3), DIGITS));
    BigDecimal s = m.subtract(BigDecimal.ONE).divide(m.add(BigDecimal.ONE), DIGITS);
    return twiceAtanh(s).add(ln2.multiply(BigDecimal.valueOf(exponent)));
  }

  private static BigDecimal twiceAtanh(BigDecimal s) {
    BigDecimal square = s.multiply(s, DIGITS);
    BigDecimal power = s;
    BigDecimal sum = BigDecimal.ZERO;
    for (int k = 0; k < 50; k++) {
      sum = sum.add(power.divide(BigDecimal.valueOf(2 * k + 1), DIGITS));
      power = power.multiply(square, DIGITS);
    }
    return sum.multiply(BigDecimal.valueOf(2));
  }
}
