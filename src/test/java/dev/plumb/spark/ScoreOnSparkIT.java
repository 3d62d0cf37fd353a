package dev.plumb.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.Model;
import dev.plumb.Plumb;
import dev.plumb.cli.Main;
import dev.plumb.cli.Ran;
import dev.plumb.data.FeatureColumn;
import dev.plumb.data.TableEncoding;
import dev.plumb.data.TargetEncoding;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Precision;
import dev.plumb.random.NumpyRandom;
import dev.plumb.store.ModelFile;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Predictions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code plumb score} and the stage of a pipeline, compared with {@code plumb predict}. */
@Timeout(600)
class ScoreOnSparkIT {
  private static final String LOCAL = "local[2]";
  private static final String DRIVER = "dev.plumb.spark.ScoringDriver";
  private static final int ROWS = 3000;
  private static final String HEADER = "id,size,weight,color,code,kind";
  private static final String SCHEMA = "id INT, size DOUBLE, weight DOUBLE, color STRING, code STRING, kind STRING";
  private static final List<String> COLORS = List.of("red", "\"dark, green\"", "blue", "grün", "");
  /** A row whose values overflow within the network, and one with a color that is not in the training data. */
  private static final int OVERFLOW = 1200;

  private static final int UNKNOWN = 1300;

  /** Number of columns whose header is longer than the part of a file that a task reads. */
  private static final int OTHER_COLUMNS = 8000;

  @TempDir Path folder;

  @Test
  void rowsAreThoseOfPredict() throws Exception {
    train("small", "8,8", 6);
    train("wide", "64,64", 1);
    Files.copy(folder.resolve("small.safetensors"), folder.resolve("copy.safetensors"));
    List<String> rows = rows();
    rows.set(OVERFLOW, OVERFLOW + ",0.5,9.5E37,red,01,a");
    rows.set(UNKNOWN, UNKNOWN + ",0.5,0.5,black,01,a");
    write("plain", rows);
    List<String> other = new ArrayList<>(rows);
    other.replaceAll(ScoreOnSparkIT::inOtherNotation);
    write("other", other);
    List<String> broad = new ArrayList<>(rows.subList(0, 100));
    broad.replaceAll(row -> row + ",0".repeat(OTHER_COLUMNS));
    String broadHeader = HEADER + IntStream.range(0, OTHER_COLUMNS).mapToObj(i -> ",column" + i).collect(Collectors.joining());
    write("broad", broad, broadHeader);
    write("lacks", rows.subList(0, 1), "id,size,heavy,color,code,kind");
    List<String> wrong = new ArrayList<>(rows);
    wrong.set(ROWS - 1, "2999,0.5,heavy,red,01,a");
    write("wrong", wrong);
    write("mixed", rows.subList(0, 10));
    Files.writeString(folder.resolve("mixed/2.csv"), "weight,size,id,color,code,kind\n0.5,0.5,1,red,01,a\n");
    write("latin", rows.subList(0, 10));
    Files.write(folder.resolve("latin/2.csv"), (HEADER + "\n1,0.5,0.5,gr\u00fcn,01,a\n").getBytes(StandardCharsets.ISO_8859_1));
    Files.createDirectories(folder.resolve("nested/more"));
    Files.write(folder.resolve("nested/more/0.csv"), lines(HEADER, rows.subList(0, 10)));
    Ran ran = drive("convert plain " + SCHEMA.replace(" ", "~") + " typed",
        "convert plain " + SCHEMA.replace("weight DOUBLE", "weight STRING").replace(" ", "~") + " texts",
        "plumb score small.safetensors other other.out --on local[2]",
        "plumb score small.safetensors typed typed.out --on local[2]",
        "plumb score wide.safetensors typed wide.out --on local[2] --quiet",
        "plumb score small.safetensors broad broad.out --on local[2] --quiet",
        "plumb score small.safetensors lacks none.out --on local[2]",
        "plumb score small.safetensors texts none.out --on local[2]",
        "plumb score small.safetensors wrong none.out --on local[2]",
        "plumb score small.safetensors typed typed.out --on local[2]",
        "plumb score small.safetensors mixed none.out --on local[2]",
        "plumb score small.safetensors latin none.out --on local[2]",
        "plumb score small.safetensors nested none.out --on local[2]",
        "plumb score small.safetensors plain plain/none.out --on local[2]",
        "plumb score small.safetensors plain none.out --format parquet --on local[2]",
        "print typed.out predicted_kind typed.txt",
        "print wide.out predicted_kind wide.txt",
        "save copy.safetensors typed pipeline",
        "delete copy.safetensors",
        "move pipeline moved",
        "load moved typed predicted_kind loaded.txt",
        "load moved texts predicted_kind none.txt");
    assertEquals(0, ran.code(), ran.err());
    long missing = rows.stream().filter(row -> row.split(",", -1)[1].isEmpty()).count();
    String notes = """
        note: column "color" has 1 value that does not occur in the training data; encoded as all zeros
        note: missing values in 1 column: "size" (%d); replaced by values of the training rows
        plumb score: 1 row is left empty because the network's outputs are not finite; first: a row where column\
         "weight" is 9.5E37
        exit 0
        """.formatted(missing);
    assertEquals("exit 0\nexit 0\n" + notes + notes + """
        exit 0
        exit 0
        plumb score: 0.csv: there is no column "weight"; the columns are "id", "size", "heavy", "color", "code", "kind"; the\
         model was trained on it
        exit 2
        plumb score: texts: column "weight" is of type string, but the model was trained on numbers there; cast it to double
        exit 2
        plumb score: wrong: column 3 ("weight"): "heavy" is not a number, but the model was trained on numbers in this column; correct\
         it or leave it empty
        exit 2
        plumb score: typed.out: already exists; choose another folder for the output
        exit 2
        plumb score: 2.csv: its first line differs from the header of the other files in mixed; all files of a folder need the same\
         columns in the same order
        exit 2
        plumb score: 2.csv: is not in UTF-8; save it as UTF-8
        exit 2
        plumb score: nested: has files in the folder more; score each folder, or move the files to nested
        exit 2
        plumb score: plain/none.out: is in the folder plain; choose a folder outside of it for the output
        exit 2
        plumb score: plain: Spark cannot read it: ...
        exit 2
        exit 0
        exit 0
        exit 0
        exit 0
        exit 0
        exit 0
        plumb: STAGE: column "weight" is of type string, but the model was trained on numbers there; cast it to double
        exit 2
        """, ofPlumb(ran.err()).replaceFirst("(Spark cannot read it: ).+", "$1...").replaceFirst("plumb_[0-9a-f]{12}", "STAGE"));
    assertEquals("rows: 3000\n".repeat(3) + "rows: 100\n", ran.out());
    assertFalse(Files.exists(folder.resolve("none.out")));
    assertEquals(List.of(), hidden());

    assertEquals(predicted("small", HEADER, other), appended("other.out", HEADER, other));
    assertEquals(predicted("small", broadHeader, broad), appended("broad.out", broadHeader, broad));
    List<String> plain = predicted("small", HEADER, rows);
    assertEquals(plain, Files.readAllLines(folder.resolve("typed.txt")));
    assertEquals(predicted("wide", HEADER, rows), Files.readAllLines(folder.resolve("wide.txt")));
    assertEquals(byLibrary("wide", rows), Files.readAllLines(folder.resolve("wide.txt")));
    assertEquals(plain, Files.readAllLines(folder.resolve("loaded.txt")));
  }

  /** The second run has executors of its own. */
  @Test
  void killedRunLeavesNoOutputAndTheNextOneEndsWell() throws Exception {
    train("small", "8,8", 1);
    // Long rows, so that a task predicts several batches.
    List<String> rows = rows();
    rows.replaceAll(row -> row + "," + "x".repeat(4000));
    String header = HEADER + ",note";
    write("plain", rows, header);
    writeSlowModel(folder.resolve("slow.safetensors"));
    Process slow = SparkProcess.start(folder, "dev.plumb.spark.SparkMain", LOCAL, List.of(), "score", "slow.safetensors", "plain",
        "out.d", "--on", LOCAL);
    try {
      while (slow.isAlive() && hidden().isEmpty()) {
        Thread.sleep(20);
      }
      assertTrue(slow.isAlive(), Files.readString(folder.resolve("err")));
    } finally {
      slow.destroyForcibly().waitFor(30, TimeUnit.SECONDS);
    }
    assertFalse(Files.exists(folder.resolve("out.d")));
    assertEquals(List.of(".out.d.part"), hidden());

    Ran ran = SparkProcess.run(folder, "dev.plumb.spark.SparkMain", SparkProcess.TWO_EXECUTORS, List.of(), "score",
        "small.safetensors", "plain", "out.d", "--on", SparkProcess.TWO_EXECUTORS, "--quiet");
    assertEquals(0, ran.code(), ran.err());
    assertEquals(List.of(), hidden());
    assertEquals(predicted("small", header, rows), appended("out.d", header, rows));
  }

  private Ran drive(String... steps) throws IOException, InterruptedException {
    Files.write(folder.resolve("steps"), Stream.of(steps).map(step -> step.replace(' ', '\t').replace('~', ' ')).toList());
    // Small parts, so that each file has several.
    return SparkProcess.run(folder, DRIVER, LOCAL, List.of("spark.sql.files.maxPartitionBytes=20000",
        "spark.sql.files.openCostInBytes=0"), "steps");
  }

  /** Returns the lines of Plumb and of the driver, without those of Spark and Java. */
  private static String ofPlumb(String err) {
    return err.lines().filter(line -> line.matches("(plumb|note|exit)\\b.*")).map(line -> line + "\n").collect(Collectors.joining());
  }

  private static List<String> rows() {
    NumpyRandom random = new NumpyRandom(7);
    List<String> rows = new ArrayList<>();
    for (int row = 0; row < ROWS; row++) {
      String size = random.interval(9) == 0 ? "" : Double.toString(random.randomSample());
      rows.add(row + "," + size + "," + random.randomSample() + "," + COLORS.get(random.interval(COLORS.size() - 1))
          + ",0" + row % 5 + "," + "abc".charAt(random.interval(2)));
    }
    return rows;
  }

  /** Returns the same values as other programs write them. */
  private static String inOtherNotation(String row) {
    int id = Integer.parseInt(row.substring(0, row.indexOf(',')));
    return switch (id % 4) {
      case 0 -> row.replaceFirst("^([0-9]+),,", "$1,NA,").replace("red", "\"red\"");
      case 1 -> row.replaceFirst("^([0-9]+),,", "$1, ? ,").replace(",0.", ", +.");
      case 2 -> row.replaceFirst("^([0-9]+),(0[^,]*),", "$1,\"$2\",");
      default -> row;
    };
  }

  /** Writes two files of different lengths, the second with other line ends. */
  private void write(String name, List<String> rows) throws IOException {
    int half = 2 * rows.size() / 3;
    write(name, rows.subList(0, half), HEADER);
    Files.writeString(folder.resolve(name).resolve("1.csv"),
        HEADER + "\r\n" + String.join("\r\n", rows.subList(half, rows.size())) + "\r\n\r\n");
  }

  private void write(String name, List<String> rows, String header) throws IOException {
    Files.createDirectory(folder.resolve(name));
    Files.write(folder.resolve(name).resolve("0.csv"), lines(header, rows));
  }

  private static List<String> lines(String header, List<String> rows) {
    return Stream.concat(Stream.of(header), rows.stream()).toList();
  }

  /** Trains a model, and multiplies its parameters, so that large values overflow. */
  private void train(String name, String hidden, double factor) throws IOException {
    Path data = Files.write(folder.resolve(name + ".csv"), lines(HEADER, rows()));
    plumb("train", data.toString(), "--exclude", "id", "--categorical", "code", "--layers", hidden, "--missing", "mean",
        "--epochs", "2", "--device", "cpu", "--runs", folder.toString(), "--name", name, "--quiet");
    TrainedModel trained = Plumb.load(folder.resolve(name + "-1/model.safetensors")).trained();
    ModelFile.write(folder.resolve(name + ".safetensors"), new TrainedModel(trained.network(), trained.loss(),
        trained.precision(), trained.encoding(), Arrays.stream(trained.parameters()).map(value -> factor * value).toArray(),
        trained.manifest()));
  }

  /** A network of which two threads predict fewer than 1000 rows in a second. */
  private static void writeSlowModel(Path file) {
    NetworkSpec network = new NetworkSpec(List.of(1, 3000, 3000, 1), Activation.TANH, Normalization.NONE, false);
    TableEncoding encoding = new TableEncoding(
        List.of(new FeatureColumn.Numeric("weight", 0, 1, OptionalDouble.empty(), false)),
        new TargetEncoding.Numbers(List.of("y"), new double[1], new double[] {1}));
    double[] parameters = new double[ParameterLayout.of(network).size()];
    Arrays.fill(parameters, 1e-4);
    ModelFile.write(file, new TrainedModel(network, Loss.MSE, Precision.FP32, encoding, parameters, new TreeMap<>()));
  }

  private static String plumb(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    assertEquals(0, Main.run(arguments, new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true,
        StandardCharsets.UTF_8)), err.toString(StandardCharsets.UTF_8));
    return out.toString(StandardCharsets.UTF_8);
  }

  /** Returns the output of plumb predict with the names of plumb score. */
  private List<String> predicted(String model, String header, List<String> rows) throws IOException {
    Path data = Files.write(folder.resolve("all.csv"), lines(header, rows));
    return plumb("predict", folder.resolve(model + ".safetensors").toString(), data.toString(), "--device", "cpu").lines()
        .map(line -> line.replaceFirst("^kind,", "predicted_kind,")).toList();
  }

  private List<String> byLibrary(String name, List<String> rows) throws IOException {
    Model model = Plumb.load(folder.resolve(name + ".safetensors"));
    Predictions predictions = model.predict(model.read(Files.write(folder.resolve("all.csv"), lines(HEADER, rows))));
    List<String> lines = new ArrayList<>(List.of("predicted_kind,probability_a,probability_b,probability_c"));
    for (int row = 0; row < ROWS; row++) {
      lines.add(predictions.className(row) + "," + predictions.probability(row, 0) + "," + predictions.probability(row, 1) + ","
          + predictions.probability(row, 2));
    }
    return lines;
  }

  /** Returns what was appended to the header and to the rows, which are all there, in the order of their ids. */
  private List<String> appended(String out, String header, List<String> rows) throws IOException {
    String added = null;
    List<String> scored = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder.resolve(out))) {
      for (Path file : files.filter(path -> path.toString().endsWith(".csv") && !path.getFileName().toString().startsWith("."))
          .toList()) {
        List<String> lines = Files.readAllLines(file);
        assertTrue(lines.get(0).startsWith(header + ","), lines.get(0));
        added = lines.get(0).substring(header.length() + 1);
        scored.addAll(lines.subList(1, lines.size()));
      }
    }
    scored.sort(Comparator.comparingInt(line -> Integer.parseInt(line.substring(0, line.indexOf(',')))));
    assertEquals(rows.size(), scored.size());
    List<String> appended = new ArrayList<>(List.of(added));
    for (int row = 0; row < rows.size(); row++) {
      assertTrue(scored.get(row).startsWith(rows.get(row) + ","), scored.get(row));
      appended.add(scored.get(row).substring(rows.get(row).length() + 1));
    }
    return appended;
  }

  private List<String> hidden() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(path -> path.getFileName().toString()).filter(name -> name.startsWith(".")).toList();
    }
  }
}
