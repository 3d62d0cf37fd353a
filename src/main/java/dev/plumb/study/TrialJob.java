package dev.plumb.study;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.backend.Backend;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.data.TableUse;
import dev.plumb.json.JsonInput;
import dev.plumb.json.JsonObject;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.NamedEnum;
import dev.plumb.model.Precision;
import dev.plumb.train.DataFile;
import dev.plumb.train.TrainConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The description of a study, a cross-validation or a search, from which another process makes the same job: the same trials, which
 * give the same bits under the same numerics.
 *
 * @param text the specification; empty for the networks of the notebook
 * @param seed the first seed of a study
 * @param seeds number of seeds of a study
 * @param precision the precision of a study
 * @param curveEpochs the epochs whose losses are kept, for listed networks
 * @param data the files of the table, with their hashes; empty for the notebook's data
 */
public record TrialJob(Kind kind, String text, long seed, int seeds, Precision precision, List<Integer> curveEpochs,
    List<DataFile> data) {
  /** The kinds of jobs. */
  public enum Kind implements NamedEnum {
    /** Listed networks on the notebook's data, with one random stream. */
    NETWORKS,
    /** A grid or the depth study, on the notebook's data. */
    GRID,
    /** A study on a table. */
    TABLE,
    CROSS_VALIDATION,
    TUNING
  }

  public TrialJob {
    curveEpochs = List.copyOf(curveEpochs);
    data = List.copyOf(data);
  }

  /**
   * Describes a list of networks.
   *
   * @param text the specification; empty for the networks of the notebook
   */
  public static TrialJob networks(Optional<String> text, Study study) {
    return new TrialJob(Kind.NETWORKS, text.orElse(""), study.seed(), study.seeds(), study.training().precision(), study.curveEpochs(),
        List.of());
  }

  /**
   * Describes a study whose trials are logged.
   *
   * @param text as in its run file
   * @param data the files of the table; empty for the notebook's data
   */
  public static TrialJob of(Study study, String text, List<DataFile> data) {
    return new TrialJob(study.table().isPresent() ? Kind.TABLE : Kind.GRID, text, study.seed(), study.seeds(),
        study.training().precision(), List.of(), data);
  }

  /** Describes a search on a table. */
  public static TrialJob of(TuningSpec spec, List<DataFile> data) {
    return new TrialJob(Kind.TUNING, spec.text(), spec.config().seed(), 1, spec.config().precision(), List.of(), data);
  }

  /** Describes a cross-validation of a table. */
  public static TrialJob of(CrossValidationSpec spec, List<DataFile> data) {
    return new TrialJob(Kind.CROSS_VALIDATION, spec.text(), spec.config().seed(), spec.seeds(), spec.config().precision(), List.of(),
        data);
  }

  /** Returns the study of a run file's text on the notebook's data: a grid, or else the depth study. */
  public static Study notebookStudy(String text) {
    return DepthStudy.isText(text) ? DepthStudy.ofText(text) : StudySpecReader.parse(text).gridStudy();
  }

  /**
   * Makes the job on a backend.
   *
   * @param backend closed by the caller
   * @param files returns where this process has a copy of a file
   * @throws dev.plumb.model.InvalidInputException when a training does not suit the data, or the backend does not support one
   */
  public TrialWorker open(Backend backend, Function<DataFile, Path> files) {
    TrialExecutor executor = TrialExecutor.on(backend);
    return switch (kind) {
      case NETWORKS -> new StudyRunner(executor, ofSeeds(Study.ofList(
          text.isEmpty() ? StudySpec.notebook() : StudySpecReader.parse(text).spec(), seeds, curveEpochs))).worker();
      case GRID -> new StudyRunner(executor, ofSeeds(notebookStudy(text))).worker();
      case TABLE -> {
        TableStudySpec spec = TableStudySpec.parse(text, Optional.empty(), TrainConfig.DEFAULT);
        yield new StudyRunner(executor, ofSeeds(spec.study(read(spec.config(), files, TableUse.ENCODED)))).worker();
      }
      case CROSS_VALIDATION -> {
        CrossValidationSpec spec = CrossValidationSpec.parse(text);
        yield new CrossValidation(executor, read(spec.config(), files, TableUse.encoded(precision)), spec).worker();
      }
      case TUNING -> {
        TuningSpec spec = TuningSpec.parse(text);
        yield new Tuning(executor, read(spec.config(), files, TableUse.encoded(precision)), spec).worker();
      }
    };
  }

  private Study ofSeeds(Study study) {
    return study.withSeeds(seeds).withSeed(seed).withPrecision(precision);
  }

  private Table read(TrainConfig config, Function<DataFile, Path> files, TableUse use) {
    Optional<Path> labels = data.stream().filter(file -> file.role().equals("labels")).map(files).findFirst();
    return TableReader.read(files.apply(data.get(0)), TableStudySpec.readOptions(config, labels).withUse(use));
  }

  /** Returns the description as JSON that {@link #parse} reads. */
  public String json() {
    try {
      return new String(JsonOutput.compact(json -> {
        json.writeStartObject();
        json.writeStringField("kind", kind.key());
        json.writeStringField("text", text);
        json.writeNumberField("seed", seed);
        json.writeNumberField("seeds", seeds);
        json.writeStringField("precision", precision.key());
        integers(json, curveEpochs);
        DataFile.write(data, json);
        json.writeEndObject();
      }), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void integers(JsonGenerator json, List<Integer> values) throws IOException {
    json.writeArrayFieldStart("curveEpochs");
    for (int value : values) {
      json.writeNumber(value);
    }
    json.writeEndArray();
  }

  /** Parses a text of {@link #json}. */
  public static TrialJob parse(String text) {
    JsonObject json = JsonInput.parse(text.getBytes(StandardCharsets.UTF_8));
    return new TrialJob(json.parsed("kind", name -> NamedEnum.parse(Kind.class, "kind", name)), json.text("text"), json.longInteger("seed"),
        json.integer("seeds"), json.parsed("precision", Precision::of), json.integers("curveEpochs"), DataFile.read(json));
  }
}
