package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.Device;
import dev.plumb.Model;
import dev.plumb.Plumb;
import dev.plumb.data.RowWeights;
import dev.plumb.data.Table;
import dev.plumb.train.Importance;
import dev.plumb.train.ImportanceOptions;
import dev.plumb.train.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImportanceCommandTest {
  private static final int ROWS = 90;

  @TempDir Path folder;
  private Path data;
  private Path run;

  /** The class follows from a text column; two other columns are noise and constant. */
  @BeforeEach
  void trainOnWords() throws IOException {
    List<String> lines = new ArrayList<>(List.of("noise,word,constant,weight,kind"));
    for (int row = 0; row < ROWS; row++) {
      String word = List.of("ant", "bee", "").get(row % 3);
      lines.add(row * 37 % 23 + "," + word + ",4," + (1 + row % 2) + "," + (word.equals("bee") ? "flies" : "crawls"));
    }
    data = Files.write(folder.resolve("words.csv"), lines);
    Plumbed trained = Plumbed.run("train", data.toString(), "--runs", folder.toString(), "--epochs", "40", "--device", "cpu", "--exclude",
        "weight", "--missing", "mean", "--quiet");
    assertEquals(0, trained.code(), trained.err());
    run = folder.resolve("words-1");
  }

  @Test
  void textColumnIsOneColumnAndConstantIsNotNeeded() throws IOException {
    Path json = folder.resolve("importance.json");
    Plumbed ran = importance("--json", json.toString());
    List<String> lines = ran.out().lines().toList();
    assertTrue(lines.get(0).startsWith("device: cpu"), ran.out());
    assertEquals(List.of("data: " + data + ", " + ROWS + " rows", "accuracy: 1.000000", "repeats: 10, seed 42", "",
        "column    importance  95% low  95% high"), lines.subList(1, 6));
    assertTrue(lines.get(6).matches("word +0\\.\\d{4} +0\\.\\d{4} +0\\.\\d{4}  #{20}"), ran.out());
    assertEquals(9, lines.size(), ran.out());

    JsonNode written = new ObjectMapper().readTree(json.toFile());
    assertEquals(ROWS, written.get("rows").intValue());
    assertEquals("accuracy", written.get("metric").textValue());
    assertEquals(10, written.get("repeats").intValue());
    assertEquals(42, written.get("seed").intValue());
    assertEquals(3, written.get("columns").size());
    JsonNode first = written.get("columns").get(0);
    assertEquals("word", first.get("name").textValue());
    assertTrue(first.get("mean").doubleValue() > 0.3, first.toString());
    JsonNode constant = Stream.of(1, 2).map(written.get("columns")::get)
        .filter(node -> node.get("name").textValue().equals("constant")).findFirst().orElseThrow();
    assertEquals(List.of(0.0, 0.0, 0.0, 0.0), Stream.of("mean", "deviation", "low", "high")
        .map(key -> constant.get(key).doubleValue()).toList());
    constant.get("values").forEach(value -> assertEquals(0.0, value.doubleValue()));
  }

  @Test
  void figuresAreThoseOfTheLibrary() throws IOException {
    Path json = folder.resolve("importance.json");
    importance("--json", json.toString(), "--metric", "log_loss", "--repeats", "3", "--seed", "7", "--weight", "weight", "--threads", "1");
    Model model = Plumb.load(run.resolve("model.safetensors"));
    Table table = Plumb.read(data);
    ImportanceOptions options = ImportanceOptions.DEFAULT.withMetric(Metric.LOG_LOSS).withRepeats(3).withSeed(7)
        .withWeights(new RowWeights(Optional.of("weight"), Optional.empty()));
    Importance importance = model.importance(table, options, Device.CPU);
    JsonNode written = new ObjectMapper().readTree(json.toFile());
    assertEquals(importance.score(), written.get("score").doubleValue());
    for (int i = 0; i < importance.columns().size(); i++) {
      Importance.Column column = importance.columns().get(i);
      JsonNode node = written.get("columns").get(i);
      assertEquals(column.name(), node.get("name").textValue());
      assertEquals(List.of(column.mean(), column.deviation(), column.low(), column.high()),
          Stream.of("mean", "deviation", "low", "high").map(key -> node.get(key).doubleValue()).toList());
      List<Double> values = new ArrayList<>();
      node.get("values").forEach(value -> values.add(value.doubleValue()));
      assertEquals(column.values(), values);
    }
    assertTrue(importance.score() != model.importance(table, options.withWeights(RowWeights.NONE), Device.CPU).score());
    assertEquals(model.importance(table, ImportanceOptions.DEFAULT, Device.CPU), model.importance(table));
    assertEquals(model.score(table).accuracy(), model.importance(table).score());
  }

  @Test
  void oneRepeatHasNoInterval() throws IOException {
    Path json = folder.resolve("importance.json");
    Plumbed ran = importance("--json", json.toString(), "--repeats", "1");
    assertTrue(ran.out().lines().anyMatch(line -> line.matches("word +0\\.\\d{4} +- +-  #{20}")), ran.out());
    assertTrue(new ObjectMapper().readTree(json.toFile()).get("columns").get(0).get("low").isNull());
  }

  @Test
  void reportIsWritten() throws IOException {
    Path report = folder.resolve("importance.html");
    importance("--report", report.toString());
    String page = Files.readString(report);
    assertTrue(page.contains("<h1>words.csv</h1>") && page.contains("The most important column is &quot;word&quot;"), page);
    assertTrue(page.contains("plumb importance " + run), page);
  }

  @Test
  void longTablesAreCut() throws IOException {
    StringBuilder head = new StringBuilder();
    StringBuilder row = new StringBuilder();
    for (int i = 0; i < 60; i++) {
      head.append("c").append(i).append(',');
      row.append(i % 10).append(',');
    }
    Path wide = Files.writeString(folder.resolve("wide.csv"), head + "y\n" + (row + "1\n" + row.reverse().substring(1) + ",2\n").repeat(4));
    Plumbed trained = Plumbed.run("train", wide.toString(), "--runs", folder.toString(), "--epochs", "1", "--device", "cpu", "--quiet");
    assertEquals(0, trained.code(), trained.err());
    Plumbed ran = Plumbed.run("importance", folder.resolve("wide-1").toString(), wide.toString(), "--device", "cpu", "--repeats", "1");
    assertEquals(0, ran.code(), ran.err());
    assertEquals(50, ran.out().lines().filter(line -> line.startsWith("c") && Character.isDigit(line.charAt(1))).count(), ran.out());
    assertTrue(ran.out().endsWith("\n10 less important columns are not shown; --json writes all\n"), ran.out());
  }

  private Plumbed importance(String... options) {
    List<String> command = new ArrayList<>(List.of("importance", run.toString(), data.toString(), "--device", "cpu"));
    command.addAll(List.of(options));
    Plumbed ran = Plumbed.run(command.toArray(String[]::new));
    assertEquals(0, ran.code(), ran.err());
    return ran;
  }
}
