package dev.plumb.report;

import java.util.Arrays;
import java.util.Locale;

/**
 * A logarithmic color scale for positive numbers, from dark blue to pale yellow. Colors are interpolated in OKLab (Ottosson
 * 2020), so that perceived lightness rises evenly: the scale can be read in grayscale and with any color vision.
 */
final class ColorScale {
  /** OKLab coordinates of the stops: lightness, green to red, blue to yellow. */
  private static final double[][] STOPS = {{0.28, -0.01, -0.11}, {0.47, -0.07, -0.06}, {0.66, -0.09, 0.02}, {0.82, -0.03, 0.12},
      {0.95, 0.0, 0.07}};

  /** Lightness above which text is black, below white; both then have a contrast of at least 4.5. */
  private static final double DARK_TEXT_LIGHTNESS = 0.556;

  private final double low;
  private final double high;

  private ColorScale(double low, double high) {
    this.low = low;
    this.high = high;
  }

  /** Returns a scale over all positive finite values. */
  static ColorScale of(double[] values) {
    double[] positive = Arrays.stream(values).filter(value -> value > 0 && Double.isFinite(value)).toArray();
    return positive.length == 0
        ? new ColorScale(1, 1)
        : new ColorScale(Arrays.stream(positive).min().getAsDouble(), Arrays.stream(positive).max().getAsDouble());
  }

  double low() {
    return low;
  }

  double high() {
    return high;
  }

  /** Returns the position of a positive value on the scale, 0 to 1. */
  double at(double value) {
    return high > low ? Math.log(value / low) / Math.log(high / low) : 0.5;
  }

  static boolean needsDarkText(double at) {
    return interpolate(at)[0] > DARK_TEXT_LIGHTNESS;
  }

  /** Returns the color at a position, as #rrggbb. */
  static String color(double at) {
    double[] lab = interpolate(at);
    double l = cube(lab[0] + 0.3963377774 * lab[1] + 0.2158037573 * lab[2]);
    double m = cube(lab[0] - 0.1055613458 * lab[1] - 0.0638541728 * lab[2]);
    double s = cube(lab[0] - 0.0894841775 * lab[1] - 1.2914855480 * lab[2]);
    return String.format(Locale.ROOT, "#%02x%02x%02x",
        channel(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
        channel(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
        channel(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s));
  }

  private static double[] interpolate(double at) {
    double position = Math.max(0, Math.min(1, at)) * (STOPS.length - 1);
    int stop = Math.min(STOPS.length - 2, (int) position);
    double fraction = position - stop;
    double[] lab = new double[3];
    Arrays.setAll(lab, i -> STOPS[stop][i] * (1 - fraction) + STOPS[stop + 1][i] * fraction);
    return lab;
  }

  private static double cube(double value) {
    return value * value * value;
  }

  /** Applies sRGB's transfer function; returns 0 to 255. */
  private static int channel(double linear) {
    double clipped = Math.max(0, Math.min(1, linear));
    double encoded = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * Math.pow(clipped, 1 / 2.4) - 0.055;
    return (int) Math.round(255 * encoded);
  }
}
