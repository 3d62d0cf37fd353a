package dev.plumb.spark;

import dev.plumb.Backends;
import dev.plumb.Device;
import dev.plumb.backend.Backend;
import dev.plumb.backend.Planner;
import dev.plumb.cli.ScoringRequest;
import dev.plumb.cli.ScoringRequest.Format;
import dev.plumb.cli.ScoringResult;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.TablePredictor;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.util.CollectionAccumulator;

/** Scores a folder in a Spark job. */
final class SparkScoring {
  /** Spark would begin a new file, without a header, after so many rows. */
  private static final String MAX_RECORDS = "maxRecordsPerFile";
  private static final String JOB = "plumb score";
  private static final int POLL_MILLIS = 100;

  private final ScoringRequest request;
  private final ScoringFolders folders;
  private final DeviceRequest device;
  private final TrainedModel model;

  SparkScoring(ScoringRequest request, SparkConf conf, Device.Kind kind) {
    this.request = request;
    model = request.model();
    device = new DeviceRequest(kind, true, Planner.AUTO);
    folders = new ScoringFolders(request.in(), request.out(), conf);
  }

  /**
   * Scores the folder.
   *
   * @param cluster opened once the files are there
   */
  ScoringResult run(Supplier<SparkSession> cluster) {
    requirePrecision();
    try {
      folders.check();
      Format format = request.format().isPresent() ? request.format().get() : folders.format();
      Optional<TextSample> sample =
          format == Format.CSV ? Optional.of(folders.sample(model, request.text())) : Optional.empty();
      SparkSession session = cluster.get();
      CollectionAccumulator<ScoringCounts> counts = session.sparkContext().collectionAccumulator("plumb scoring");
      SharedModel shared = new SharedModel(session.sparkContext(), SharedModel.bytes(model), device, request.precision());
      Runnable write = sample.isPresent() ? lines(session, shared, sample.get(), counts) : rows(session, shared, counts);
      folders.begin();
      try {
        await(session.sparkContext(), write, counts);
        folders.commit(format == Format.CSV ? ".csv" : "");
      } finally {
        folders.removePart();
      }
      return ScoringCounts.sum(counts.value());
    } catch (IOException e) {
      throw new InvalidInputException(request.in() + " or " + request.out() + ": " + e.getMessage(), e);
    }
  }

  /** Checks the precision where this process knows the device. */
  private void requirePrecision() {
    if (device.kind() != Device.Kind.CPU) {
      return;
    }
    try (Backends.Selection cpu = Backends.open(Device.CPU, Backends.Usage.STANDARD)) {
      Backend backend = cpu.backend();
      request.precision().ifPresent(precision -> backend.refusal(model.network(),
          TrainingSpec.of(model.loss(), OptimizerSpec.Sgd.DEFAULT, 0, 1).withPrecision(precision), 1).ifPresent(refusal -> {
            throw refusal.toException();
          }));
      Precision used = request.precision().orElseGet(() -> TablePredictor.precision(backend, model));
      if (request.precision().isEmpty() && used != model.precision()) {
        request.onNote().accept("the model was trained in " + model.precision().key()
            + ", which a CPU does not support; it computes in " + used.key());
      }
    }
  }

  private Runnable rows(SparkSession session, SharedModel shared, CollectionAccumulator<ScoringCounts> counts) {
    Dataset<Row> read = reading(path -> session.read().parquet(path));
    Dataset<Row> scored = ScoredRows.of(read, shared, request.in(), counts);
    return () -> scored.write().option(MAX_RECORDS, 0).parquet(folders.part());
  }

  private Runnable lines(
      SparkSession session, SharedModel shared, TextSample sample, CollectionAccumulator<ScoringCounts> counts) {
    List<String> names;
    try {
      names = PredictionColumns.names(model, sample.names());
    } catch (InvalidInputException e) {
      throw e.at(request.in());
    }
    Dataset<Row> read = reading(path -> session.read().text(path));
    if (read.columns().length > 1) {
      throw new InvalidInputException(request.in() + ": has the folders " + read.columns()[1]
          + "=..., whose names are a column; write it as Parquet, or score each of the folders");
    }
    // The bytes: as text, those that are not UTF-8 would be replaced.
    Dataset<String> scored = read.select(functions.col("value").cast("binary"), functions.col("_metadata.file_name"),
        functions.col("_metadata.file_block_start")).mapPartitions(
            new ScoredLines(shared, sample.format(), names, request.text().naValues(), request.in(), counts), Encoders.STRING());
    return () -> scored.write().option(MAX_RECORDS, 0).text(folders.part());
  }

  /** Reads the input by Spark, whose exceptions, checked ones among them, become one line. */
  private Dataset<Row> reading(Function<String, Dataset<Row>> read) {
    try {
      // Spark takes these characters for patterns.
      return read.apply(request.in().replaceAll("[\\[\\]{}*?\\\\]", "\\\\$0"));
    } catch (Exception e) {
      throw new InvalidInputException(request.in() + ": Spark cannot read it: "
          + String.valueOf(e.getMessage()).lines().findFirst().orElse(""), e);
    }
  }

  /** Runs the job in a thread of its own, and cancels it as soon as a row cannot be predicted. */
  private static void await(SparkContext context, Runnable write, CollectionAccumulator<ScoringCounts> counts) {
    BatchIterator.stopped = false;
    FutureTask<Void> job = new FutureTask<>(() -> {
      context.setJobGroup(JOB, JOB, true);
      write.run();
    }, null);
    new Thread(job, "plumb-score").start();
    Optional<String> refusal = Optional.empty();
    boolean ended = false;
    while (!ended) {
      ended = job.isDone();
      if (refusal.isEmpty()) {
        refusal = List.copyOf(counts.value()).stream().map(partition -> partition.refusal).filter(Objects::nonNull).findFirst();
        refusal.ifPresent(text -> {
          if (context.isLocal()) {
            // Spark prints a stack trace for each task that it kills in this process.
            BatchIterator.stopped = true;
          } else {
            // Spark would report each task that is cancelled.
            context.setLogLevel("OFF");
            context.cancelJobGroup(JOB);
          }
        });
      }
      try {
        job.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        // Asks for refusals again.
      } catch (InterruptedException e) {
        context.cancelJobGroup(JOB);
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while rows were scored", e);
      } catch (ExecutionException e) {
        if (refusal.isEmpty() && ended) {
          throw SparkFailures.of(e.getCause());
        }
      }
    }
    if (refusal.isPresent()) {
      throw new InvalidInputException(refusal.get());
    }
  }
}
