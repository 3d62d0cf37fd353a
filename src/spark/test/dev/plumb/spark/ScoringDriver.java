package dev.plumb.spark;

import dev.plumb.cli.Main;
import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Steps of a test of scoring in one driver: the file that the argument names has one in each line, its words separated by tabs.
 * After each step, its exit code is printed to stderr.
 */
public final class ScoringDriver {
  private static final String MASTER = "local[2]";

  private ScoringDriver() {}

  public static void main(String[] args) throws IOException {
    for (String line : Files.readAllLines(Path.of(args[0]))) {
      List<String> words = Arrays.asList(line.split("\t"));
      System.err.println("exit " + run(words.get(0), words.subList(1, words.size())));
    }
    System.exit(0);
  }

  private static int run(String step, List<String> words) throws IOException {
    if (step.equals("plumb")) {
      try (SparkCluster cluster = new SparkCluster(TaskHook.NONE)) {
        return Main.run(cluster, words.toArray(String[]::new));
      }
    }
    if (step.equals("delete")) {
      Files.delete(Path.of(words.get(0)));
      return 0;
    }
    if (step.equals("move")) {
      Files.move(Path.of(words.get(0)), Path.of(words.get(1)));
      return 0;
    }
    try (SparkSession session = SparkSession.builder().master(MASTER).getOrCreate()) {
      switch (step) {
        // CSV, schema, Parquet
        case "convert" -> session.read().option("header", true).schema(words.get(1)).csv(words.get(0)).write()
            .parquet(words.get(2));
        // Parquet, the first column of the predictions, file
        case "print" -> print(session.read().parquet(words.get(0)), words.get(1), Path.of(words.get(2)));
        // Model, Parquet, folder for the pipeline
        case "save" -> PipelineExample.run(words.get(0), session.read().parquet(words.get(1)), words.get(2));
        // Folder of the pipeline, Parquet, the first column of the predictions, file
        case "load" -> print(PipelineModel.load(words.get(0)).transform(session.read().parquet(words.get(1))), words.get(2),
            Path.of(words.get(3)));
        default -> throw new IllegalArgumentException(step);
      }
    } catch (InvalidInputException e) {
      System.err.println("plumb: " + e.getMessage());
      return 2;
    }
    return 0;
  }

  /** Writes the columns from one on, in the order of the ids, as plumb predict does. */
  private static void print(Dataset<Row> scored, String first, Path file) throws IOException {
    int from = scored.schema().fieldIndex(first);
    List<String> lines = new ArrayList<>();
    lines.add(String.join(",", Arrays.asList(scored.columns()).subList(from, scored.columns().length)));
    for (Row row : scored.orderBy("id").collectAsList()) {
      lines.add(IntStream.range(from, row.size()).mapToObj(i -> row.isNullAt(i) ? "" : row.get(i).toString())
          .collect(Collectors.joining(",")));
    }
    Files.write(file, lines);
  }
}
