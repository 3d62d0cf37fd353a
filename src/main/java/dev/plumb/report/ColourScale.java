package dev.plumb.report;

import java.util.Arrays;
import java.util.Locale;

/**
 * Colours for positive numbers on a logarithmic scale. From dark blue to pale yellow, mixed in OKLab (Ottosson 2020), where
 * lightness is what people see: it rises evenly, so that the scale reads in grey and with any colour vision.
 */
final class ColourScale {
  /** OKLab: lightness, green to red, blue to yellow. */
  private static final double[][] STOPS = {{0.28, -0.01, -0.11}, {0.47, -0.07, -0.06}, {0.66, -0.09, 0.02}, {0.82, -0.03, 0.12},
      {0.95, 0.0, 0.07}};

  /** Of colours lighter than this, black text is read better than white: both have a contrast of 4.5 or more on their side. */
  private static final double DARK_TEXT_FROM = 0.556;

  private final double low;
  private final double high;

  private ColourScale(double low, double high) {
    this.low = low;
    this.high = high;
  }

  /** Over all positive finite values. */
  static ColourScale of(double[] values) {
    double[] positive = Arrays.stream(values).filter(value -> value > 0 && Double.isFinite(value)).toArray();
    return positive.length == 0
        ? new ColourScale(1, 1)
        : new ColourScale(Arrays.stream(positive).min().getAsDouble(), Arrays.stream(positive).max().getAsDouble());
  }

  double low() {
    return low;
  }

  double high() {
    return high;
  }

  /** Where a positive value lies, 0 to 1. */
  double at(double value) {
    return high > low ? Math.log(value / low) / Math.log(high / low) : 0.5;
  }

  static boolean wantsDarkText(double at) {
    return mixed(at)[0] > DARK_TEXT_FROM;
  }

  /** #rrggbb. */
  static String colour(double at) {
    double[] lab = mixed(at);
    double l = cube(lab[0] + 0.3963377774 * lab[1] + 0.2158037573 * lab[2]);
    double m = cube(lab[0] - 0.1055613458 * lab[1] - 0.0638541728 * lab[2]);
    double s = cube(lab[0] - 0.0894841775 * lab[1] - 1.2914855480 * lab[2]);
    return String.format(Locale.ROOT, "#%02x%02x%02x",
        channel(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
        channel(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
        channel(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s));
  }

  private static double[] mixed(double at) {
    double place = Math.max(0, Math.min(1, at)) * (STOPS.length - 1);
    int stop = Math.min(STOPS.length - 2, (int) place);
    double share = place - stop;
    double[] lab = new double[3];
    Arrays.setAll(lab, i -> STOPS[stop][i] * (1 - share) + STOPS[stop + 1][i] * share);
    return lab;
  }

  private static double cube(double value) {
    return value * value * value;
  }

  /** sRGB's transfer function. */
  private static int channel(double linear) {
    double clipped = Math.max(0, Math.min(1, linear));
    double encoded = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * Math.pow(clipped, 1 / 2.4) - 0.055;
    return (int) Math.round(255 * encoded);
  }
}
