package dev.plumb.data;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random tables, written in random ways, come out as they were. A failure says the seed. */
class CsvRoundTripTest {
  private static final int TABLES = 300;
  private static final String LETTERS = "abcXYZ äß€😀,;|\t\"\n.-_0123456789";
  private static final String[] MISSING = {"", "NA", "NaN", "?", "null", "\"\"", " "};

  @ParameterizedTest
  @ValueSource(longs = {1, 20_000, 300_000_000})
  void everyTableComesOutAsItWas(long firstSeed) {
    for (long seed = firstSeed; seed < firstSeed + TABLES; seed++) {
      roundTrip(seed);
    }
  }

  private static void roundTrip(long seed) {
    Random random = new Random(seed);
    int columns = 1 + random.nextInt(6);
    int rows = 1 + (random.nextInt(20) == 0 ? random.nextInt(2500) : random.nextInt(12));
    char delimiter = ",;\t|".charAt(random.nextInt(4));
    String end = random.nextBoolean() ? "\n" : "\r\n";
    boolean header = random.nextBoolean();
    double[][] numbers = new double[columns][];
    String[][] words = new String[columns][];
    StringBuilder text = new StringBuilder(random.nextBoolean() ? "\uFEFF" : "");
    for (int c = 0; c < columns; c++) {
      if (random.nextBoolean()) {
        numbers[c] = numbers(rows, random);
      } else {
        words[c] = words(rows, random);
      }
      text.append(header ? (c > 0 ? delimiter : "") + quoted("name " + c + (random.nextBoolean() ? "\"," : "")) : "");
    }
    text.append(header ? end : "");
    for (int row = 0; row < rows; row++) {
      StringBuilder line = new StringBuilder();
      for (int c = 0; c < columns; c++) {
        line.append(c > 0 ? String.valueOf(delimiter) : "");
        String missing = MISSING[random.nextInt(MISSING.length)];
        if (numbers[c] != null) {
          line.append(Double.isNaN(numbers[c][row]) ? missing : written(numbers[c][row], random));
        } else {
          line.append(words[c][row] == null ? missing : quoted(words[c][row]));
        }
      }
      // An empty line is no row of one column.
      text.append(columns == 1 && line.toString().isBlank() ? "NA" : line).append(row == rows - 1 && random.nextBoolean()
          ? "" : end);
      if (random.nextInt(10) == 0 && row < rows - 1) {
        text.append(end);
      }
    }
    Table table = TableReader.read(new ByteArrayInputStream(text.toString().getBytes(StandardCharsets.UTF_8)), "seed " + seed,
        ReadOptions.DEFAULT.withDelimiter(delimiter).withHeader(header));
    String where = "seed " + seed + ": " + (text.length() < 500 ? text : text.substring(0, 500));
    assertEquals(rows, table.rows(), where);
    assertEquals(columns, table.columns().size(), where);
    for (int c = 0; c < columns; c++) {
      Column column = table.columns().get(c);
      for (int row = 0; row < rows; row++) {
        if (numbers[c] != null) {
          assertEquals(numbers[c][row], column.number(row), where);
        } else {
          assertEquals(words[c][row], column.text(row), where);
        }
      }
    }
  }

  private static double[] numbers(int rows, Random random) {
    double[] numbers = new double[rows];
    for (int row = 0; row < rows; row++) {
      numbers[row] = switch (random.nextInt(5)) {
        case 0 -> Double.NaN;
        case 1 -> random.nextInt(1000) - 500;
        case 2 -> random.nextGaussian();
        case 3 -> Math.round(random.nextGaussian() * 1000) / 1000.0;
        default -> finite(random);
      };
    }
    return numbers;
  }

  private static double finite(Random random) {
    double number = Double.longBitsToDouble(random.nextLong());
    return Double.isFinite(number) ? number : 0;
  }

  /** Words that no number and no mark for what is missing can be taken for. */
  private static String[] words(int rows, Random random) {
    String[] words = new String[rows];
    for (int row = 0; row < rows; row++) {
      if (random.nextInt(5) > 0 || row == 0) {
        StringBuilder word = new StringBuilder("w");
        int length = random.nextInt(8);
        for (int i = 0; i < length; i++) {
          int letter = LETTERS.codePointAt(LETTERS.offsetByCodePoints(0, random.nextInt(LETTERS.codePointCount(0,
              LETTERS.length()))));
          word.appendCodePoint(letter);
        }
        words[row] = word.toString();
      }
    }
    return words;
  }

  private static String written(double number, Random random) {
    String text = number == Math.rint(number) && Math.abs(number) < 1e15 && Double.compare(number, -0.0) != 0
        && random.nextBoolean()
        ? Long.toString((long) number) : Double.toString(number);
    return switch (random.nextInt(4)) {
      case 0 -> "\"" + text + "\"";
      case 1 -> " " + text + " ";
      default -> text;
    };
  }

  private static String quoted(String word) {
    return "\"" + word.replace("\"", "\"\"") + "\"";
  }
}
