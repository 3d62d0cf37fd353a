package dev.plumb.report;

import dev.plumb.Device;
import dev.plumb.Plumb;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.Column;
import dev.plumb.data.FoldOptions;
import dev.plumb.data.Table;
import dev.plumb.data.Task;
import dev.plumb.model.Activation;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.report.RunReport.Classes;
import dev.plumb.report.RunReport.Numbers;
import dev.plumb.report.RunReport.Predictions;
import dev.plumb.report.RunReport.Target;
import dev.plumb.report.StudyReport.Network;
import dev.plumb.report.StudyReport.Run;
import dev.plumb.study.CrossValidation;
import dev.plumb.study.CrossValidationSpec;
import dev.plumb.study.DepthCures;
import dev.plumb.study.DepthResults;
import dev.plumb.study.DepthStudy;
import dev.plumb.study.RunComparison;
import dev.plumb.study.SearchSpace;
import dev.plumb.study.StudyFindings;
import dev.plumb.study.StudyResult;
import dev.plumb.study.TrialExecutor;
import dev.plumb.study.TuningResult;
import dev.plumb.study.TuningResults;
import dev.plumb.study.TuningSpec;
import dev.plumb.study.StudyRunner;
import dev.plumb.study.Study;
import dev.plumb.study.StudySpecReader;
import dev.plumb.train.ClassificationScores;
import dev.plumb.train.ConfusionMatrix;
import dev.plumb.train.DataFile;
import dev.plumb.train.EpochMetrics;
import dev.plumb.train.FoldEstimate;
import dev.plumb.train.Importance;
import dev.plumb.train.Metric;
import dev.plumb.train.RunRecord;
import dev.plumb.train.ScoreTable;
import dev.plumb.train.Scores;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainConfig.Changes;
import dev.plumb.train.TrainConfigJson;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Synthetic reports of different kinds of training. */
final class SampleReports {
  static final SortedMap<String, String> CONFIGURATION = new TreeMap<>(Map.of(
      "data", "digits.csv.gz", "layers", "64,64", "activation", "relu", "loss", "cross_entropy", "optimizer", "adam",
      "lr", "0.001", "schedule", "cosine, warm-up 5", "epochs", "120", "batch-size", "200", "early-stopping", "20"));

  static final SortedMap<String, String> MANIFEST = new TreeMap<>(Map.of(
      "plumb", "0.1.0", "java", "17.0.12, Debian", "device", "cpu, 2 threads", "precision", "fp32", "seed", "42",
      "data.sha256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      "command", "plumb train --data digits.csv.gz --layers 64,64 --epochs 120 --early-stopping 20"));

  private SampleReports() {}

  /** 40 columns, the last ones below 0; the first has a name that must be escaped, the second a long one. */
  static ImportanceReport importance(int repeats) {
    List<Importance.Column> columns = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      double mean = 0.3 / (1 + i) - 0.012;
      double half = repeats == 1 ? Double.NaN : 0.01 + mean * mean / 3;
      String name = i == 0 ? "<b>\"'&\u202e" : i == 1 ? "量".repeat(60) : "column " + i;
      columns.add(new Importance.Column(name, Collections.nCopies(repeats, mean), mean, half / 2, mean - half, mean + half));
    }
    return new ImportanceReport("digits.csv.gz", new Importance(Metric.ACCURACY, 0.9625, 1797, repeats, 42, columns), MANIFEST);
  }

  static RunReport classification() {
    Random random = new Random(1);
    List<EpochMetrics> rows = new ArrayList<>();
    for (int epoch = 1; epoch <= 120; epoch++) {
      double train = 2.3 * Math.exp(-epoch / 14.0) + 0.004 * (1 + 0.2 * random.nextGaussian());
      double validation = 2.3 * Math.exp(-epoch / 15.0) + 0.07 + 0.0007 * epoch + 0.006 * random.nextGaussian();
      double rate = epoch <= 5 ? 0.001 * epoch / 5 : 0.0005 * (1 + Math.cos(Math.PI * (epoch - 5) / 115));
      rows.add(new EpochMetrics(epoch, train, validation, 0.975 - 0.9 * Math.exp(-epoch / 9.0) + 0.003 * random.nextGaussian(), rate,
          0.021, norms(random, 3, 0.6 * Math.exp(-epoch / 30.0), 0.8)));
    }
    long[][] counts = new long[10][10];
    for (int row = 0; row < 1797; row++) {
      int actual = row % 10;
      counts[actual][random.nextInt(100) < 95 ? actual : random.nextInt(10)]++;
    }
    List<String> names = Arrays.stream(new int[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}).mapToObj(Integer::toString).toList();
    return run("digits-3", rows, "accuracy", OptionalInt.of(68), OptionalInt.empty(), new Classes("validation", names, matrix(counts)),
        "Early stopping: the validation loss did not fall for 20 epochs.");
  }

  /** Returns a confusion matrix with the given counts, [true class][predicted class]. */
  static ConfusionMatrix matrix(long[][] counts) {
    List<ConfusionMatrix.Cell> cells = new ArrayList<>();
    for (int actual = 0; actual < counts.length; actual++) {
      for (int predicted = 0; predicted < counts.length; predicted++) {
        if (counts[actual][predicted] > 0) {
          cells.add(new ConfusionMatrix.Cell(actual, predicted, counts[actual][predicted]));
        }
      }
    }
    return new ConfusionMatrix(counts.length, cells);
  }

  static RunReport regression() {
    Random random = new Random(2);
    List<EpochMetrics> rows = new ArrayList<>();
    for (int epoch = 1; epoch <= 12; epoch++) {
      double loss = 0.45 + 0.5 * Math.exp(-epoch / 3.0);
      rows.add(new EpochMetrics(epoch, loss, loss + 0.05 + 0.01 * random.nextGaussian(), 0.5 - 0.6 * Math.exp(-epoch / 3.0), 0.001,
          0.004,
          norms(random, 2, 0.3, 1.0)));
    }
    double[] actual = new double[442];
    double[] predicted = new double[442];
    for (int i = 0; i < actual.length; i++) {
      actual[i] = 25 + 320 * random.nextDouble();
      predicted[i] = 90 + 0.45 * actual[i] + 40 * random.nextGaussian();
    }
    return run("diabetes-1", rows, "R²", OptionalInt.empty(), OptionalInt.empty(),
        new Numbers("validation", List.of(new Target("disease progression", actual, predicted))));
  }

  /** Returns the report of a deep sigmoid network whose gradient vanishes. */
  static RunReport vanishing(int epochs, int layers) {
    Random random = new Random(3);
    List<EpochMetrics> rows = new ArrayList<>(epochs);
    for (int epoch = 1; epoch <= epochs; epoch++) {
      double loss = 1.74 + 0.4 / epoch + 1e-3 * random.nextDouble();
      rows.add(new EpochMetrics(epoch, loss, loss * 1.02, 0.01, 0.01, 0.002, norms(random, layers, 0.1, 0.25)));
    }
    return run("deep-sigmoid", rows, "R²", OptionalInt.empty(), OptionalInt.empty(), null);
  }

  /** Returns the report of a training whose losses and norms grow and become non-finite. */
  static RunReport diverged() {
    Random random = new Random(4);
    List<EpochMetrics> rows = new ArrayList<>();
    for (int epoch = 1; epoch <= 40; epoch++) {
      double loss = epoch < 31 ? Math.pow(10, Math.max(0, epoch - 12) * 1.9) : epoch == 31 ? Double.POSITIVE_INFINITY
          : Double.NaN;
      double[] norms = norms(random, 4, epoch < 31 ? Math.sqrt(loss) : Double.NaN, 2);
      norms[1] = epoch > 20 ? 0 : norms[1];
      rows.add(new EpochMetrics(epoch, loss, loss, Double.isFinite(loss) ? -loss : Double.NaN, 0.5, 0.002, norms));
    }
    return run("too-fast", rows, "R²", OptionalInt.empty(), OptionalInt.of(31), null);
  }

  /** Returns a report in which every text tries to inject markup. */
  static RunReport hostile() {
    String attack = "</script></style><img src=http://example.invalid/x onerror=alert(1)><b>\"'&\u202e\u0000\ud800";
    RunReport report = classification();
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      names.add(i + attack);
    }
    SortedMap<String, String> entries = new TreeMap<>();
    entries.put(attack, attack.repeat(50));
    return new RunReport(attack, List.of(attack), List.of(attack), report.scores(), attack, attack, report.epochs(), List.of(attack, attack, attack), report.keptEpoch(),
        report.divergedAtEpoch(), List.of(new Classes(attack, names, ((Classes) report.predictions().get(0)).counts())),
            entries, entries);
  }

  /** Returns the report of five networks as in the notebook; with several seeds it has quartiles. */
  static StudyReport study(int seeds) {
    Random random = new Random(5);
    String[] names = {"Model A - Shallow", "Model B - Medium", "Model C - Deep", "Model D - Very Deep (ReLU)",
        "Model D - Very Deep (Sigmoid)"};
    String[] shapes = {"3-4-1", "3-6-6-1", "3-8-8-8-8-1", "3-8x8-1", "3-8x8-1"};
    int[] layers = {2, 3, 5, 9, 9};
    double[] ends = {0.1115, 0.0728, 0.0304, 0.0528, 1.7439};
    List<Network> networks = new ArrayList<>();
    for (int i = 0; i < names.length; i++) {
      List<Run> runs = new ArrayList<>();
      for (int seed = 0; seed < seeds; seed++) {
        double end = ends[i] * (1 + (seeds > 1 ? 0.2 * random.nextGaussian() : 0));
        SortedMap<Integer, Double> losses = new TreeMap<>();
        for (int epoch = 1; epoch <= 1000; epoch += epoch < 20 ? 1 : 20) {
          losses.put(epoch, end + 1.7 * Math.exp(-epoch / (60.0 * layers[i])) * (i == 4 ? 0.02 : 1));
        }
        losses.put(200, end + 1.7 * Math.exp(-200 / (60.0 * layers[i])) * (i == 4 ? 0.02 : 1));
        runs.add(new Run(42 + seed, losses, end, i == 4 ? norms(random, 9, 6e-6, 0.12) : norms(random, layers[i], 0.04, 0.9),
            0.12,
            OptionalInt.empty()));
      }
      networks.add(new Network(names[i], shapes[i], i == 4 ? "sigmoid" : "relu", runs));
    }
    return new StudyReport("notebook", List.of(), 1000, List.of(200), networks, CONFIGURATION, MANIFEST);
  }

  private static double[] norms(Random random, int layers, double output, double factorPerLayer) {
    double[] norms = new double[layers];
    Arrays.setAll(norms, layer -> output * Math.pow(factorPerLayer, layers - 1 - layer) * Math.exp(0.15 * random.nextGaussian()));
    return norms;
  }

  private static RunReport run(
      String title, List<EpochMetrics> rows, String metric, OptionalInt kept, OptionalInt diverged, Predictions predictions,
      String... notes) {
    return new RunReport(title, List.of("Saved: weights of the best epoch."), List.of(notes), Optional.of(scores(predictions)),
        "the loss of this sample", metric, rows, List.of(), kept, diverged, Optional.ofNullable(predictions).stream().toList(),
        CONFIGURATION, MANIFEST);
  }

  private static ScoreTable scores(Predictions predictions) {
    List<Metric> metrics = predictions instanceof Classes ? List.of(Metric.LOSS, Metric.ACCURACY)
        : List.of(Metric.LOSS, Metric.R2, Metric.MAE, Metric.RMSE);
    List<ScoreTable.Row> rows = new ArrayList<>();
    for (String name : List.of(ScoreTable.name("training"), "validation", "test")) {
      rows.add(new ScoreTable.Row(name, false, metrics.stream().map(metric -> 1234.5678).toList()));
      rows.add(new ScoreTable.Row(ScoreTable.BASELINE, true, metrics.stream().map(metric -> Double.NaN).toList()));
    }
    return new ScoreTable(metrics, rows, List.of("loss: that of this sample", "baseline: always the same"));
  }

  /** Returns the report of a cross-validation of classes in three folds, with a feature that determines the class. */
  static CrossValidationReport classFolds() {
    Random random = new Random(6);
    String[] classes = new String[120];
    Arrays.setAll(classes, row -> new String[] {"setosa", "versicolor", "<b>virginica</b>"}[row % 3]);
    return folds("irises", irises(random, classes), 1, List.of("code <i>"), changes -> {});
  }

  private static Table irises(Random random, String[] classes) {
    return Table.of(List.of(
        Column.ofNumbers("petal length", Arrays.stream(classes).mapToDouble(name -> name.length() + 2 * random.nextGaussian()).toArray()),
        Column.ofText("code <i>", Arrays.stream(classes).map(name -> name.substring(1, 3)).toArray(String[]::new)),
        Column.ofText("species", classes)));
  }

  /** Returns the report of an evaluation of two classes by a threshold; the second has a long name. */
  static EvaluationReport twoClasses() {
    Random random = new Random(8);
    String[] classes = new String[150];
    Arrays.setAll(classes, row -> row % 3 == 0 ? "virginica <b>with a very long name</b>, which no axis has room for" : "setosa");
    Column length = Column.ofNumbers("length", Arrays.stream(classes)
        .mapToDouble(name -> Math.log(name.length()) + random.nextGaussian()).toArray());
    Table table = Table.of(List.of(length, Column.ofText("species", classes)));
    ClassificationScores scores = (ClassificationScores) evaluate(table);
    return new EvaluationReport("runs/two-1", List.of("data: two.csv, 150 rows", "threshold: 0.4"), scores.withThreshold(0.4), MANIFEST);
  }

  /** Returns the report of an evaluation of three classes. */
  static EvaluationReport threeClasses() {
    String[] classes = new String[120];
    Arrays.setAll(classes, row -> new String[] {"setosa", "versicolor", "<b>virginica</b>"}[row % 3]);
    Scores scores = evaluate(irises(new Random(6), classes));
    return new EvaluationReport("runs/irises-1", List.of("data: irises.csv, 120 rows"), scores, MANIFEST);
  }

  private static Scores evaluate(Table table) {
    return Plumb.train(table, TrainConfig.DEFAULT.with(changes -> changes.hidden(4).epochs(20).validation(0.1)), Device.CPU).score(table);
  }

  /** Returns the report of a repeated cross-validation of numbers from two seeds. */
  static CrossValidationReport numberFolds(int repeats) {
    return folds("houses", numbers(), repeats, List.of(), changes -> {});
  }

  /** Returns the report of a cross-validation whose trainings all diverge. */
  static CrossValidationReport divergedFolds() {
    return folds("too fast", numbers(), 1, List.of(), changes -> changes.learningRate(1e300).optimizer(OptimizerSpec.Sgd.DEFAULT)
        .activation(Activation.RELU));
  }

  private static Table numbers() {
    Random random = new Random(7);
    double[][] rows = new double[60][];
    Arrays.setAll(rows, row -> {
      double size = 30 + 100 * random.nextDouble();
      return new double[] {size, random.nextInt(5), 2000 * size + 20_000 * random.nextGaussian()};
    });
    return Table.of(rows, "size", "rooms", "price");
  }

  private static CrossValidationReport folds(String title, Table table, int repeats, List<String> leaks, Consumer<Changes> changes) {
    TrainConfig config = TrainConfig.DEFAULT.with(defaults -> defaults.hidden(4).epochs(20).precision(Precision.FP64)).with(changes);
    CrossValidationSpec spec = new CrossValidationSpec(config, new FoldOptions(3, repeats, Optional.empty(), Optional.empty()),
        repeats > 1 ? 2 : 1);
    return new CrossValidationReport(title, new CrossValidation(TrialExecutor.on(new ReferenceBackend()), table, spec)
        .run(new CrossValidation.Listener() {}).orElseThrow(), leaks, CONFIGURATION, MANIFEST);
  }

  /** Returns the report of a depth study with made-up results. */
  static GridReport depth(int seeds) {
    StudyResult result = DepthResults.cured(seeds);
    return new GridReport(DepthStudy.notebook(result), DepthStudy.findings(result), Optional.of(new DepthCures(result)),
        new TreeMap<>(Map.of("plumb", "test")));
  }

  /** Returns the report of a grid of depths 1, 3 and 6 with two activations, one of which sometimes diverges. */
  static GridReport grid() {
    Study study = StudySpecReader.parse("""
        { "name": "depth & <width>", "epochs": 60, "data": {"samples": 30}, "lossAtEpochs": [],
          "grid": {"depth": [1, 3, 6], "width": [5], "activation": ["relu", "sigmoid"], "learningRate": [0.3], "seeds": 7} }""")
        .gridStudy();
    ReferenceBackend backend = new ReferenceBackend();
    StudyRunner runner = new StudyRunner(backend, study);
    StudyResult result = runner.run();
    return new GridReport(result, StudyFindings.of(result), Optional.empty(), new TreeMap<>(Map.of("plumb", "test")));
  }

  /**
   * Returns a comparison of runs of classes. The second one has no validation rows, the third one is interrupted and watches
   * another metric.
   */
  static ComparisonReport comparison(int count, String name) {
    Random random = new Random(8);
    TrainConfig config = TrainConfig.DEFAULT.with(changes -> changes.columns(TrainConfig.DEFAULT.columns().withTargets("species")
        .withTask(Task.CLASSIFICATION)));
    List<RunRecord> runs = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      names.add(name + "-" + (i + 1));
      Metric metric = i == 2 ? Metric.MACRO_F1 : Metric.ACCURACY;
      List<EpochMetrics> epochs = new ArrayList<>();
      double speed = 5 + 20 * random.nextDouble();
      for (int epoch = 1; epoch <= 40 + 10 * i; epoch++) {
        double loss = 0.02 + Math.exp(-epoch / speed) + 0.02 * random.nextDouble();
        epochs.add(new EpochMetrics(epoch, loss, i == 1 ? Double.NaN : loss + 0.05 + 0.001 * epoch,
            i == 1 ? Double.NaN : 1 - loss / 2, 0.01, 0.1, new double[] {1}));
      }
      Map<String, Map<Metric, Double>> scores =
          Map.of("validation", Map.of(Metric.LOSS, 0.1 + 0.01 * i, metric, 0.9 + 0.005 * i));
      Optional<FoldEstimate> folds = i != 1 ? Optional.empty() : Optional.of(new FoldEstimate(5, 3, Map.of(
          Metric.LOSS, new FoldEstimate.Score(0.2, 0.1), Metric.ACCURACY, new FoldEstimate.Score(0.92, 0.03)),
          OptionalDouble.empty()));
      int number = i;
      runs.add(new RunRecord(Path.of("runs", name + "-" + (i + 1)),
          i == 2 ? RunRecord.Status.INTERRUPTED : RunRecord.Status.FINISHED, Instant.EPOCH, "0.1.0", "cpu (2 threads)",
          config.with(changes -> changes.learningRate(0.001 * (number + 1)).seed(number).splitSeed(1)),
          List.of(new DataFile("data", name + ".csv", "ab".repeat(32))), "4-100-100-3 relu", OptionalInt.of(10_903),
          Map.of("used", 150, "dropped", 0, "validation", 30), metric, epochs, 37 + i, i == 1 ? Map.of() : scores, Map.of(), folds));
    }
    return new ComparisonReport(new RunComparison(runs, names), "0.1.0");
  }

  /** Returns the report of a search of 60 candidates by the loss, some of which diverge or are poor. */
  static TuningReport tuning() {
    TrainConfig config = TrainConfig.DEFAULT.with(changes -> changes.hidden(64, 64).epochs(180)
        .optimizer(OptimizerSpec.Adam.DEFAULT_W.withWeightDecay(0)));
    TuningSpec spec = new TuningSpec(config, SearchSpace.DEFAULT, 60, OptionalInt.of(5), 3);
    Random random = new Random(9);
    TuningResult result = TuningResults.of(spec, 1, 5, List.of(20, 60, 180), (candidate, drawn, rungs, fold, seed) -> {
      double rate = Math.log10(drawn.trainer().training().learningRate() / 0.004);
      double loss = 0.06 + 0.15 * rate * rate + 0.03 * rungs * (1 + drawn.hidden().size()) + 0.02 * (drawn.residual() ? 0 : 1)
          + 0.02 * fold + 0.01 * random.nextGaussian();
      return rate > 0.7 ? Double.NaN : candidate % 11 == 5 ? 40 * loss : loss;
    });
    return tuning("digits.csv.gz <b>", result);
  }

  /** Returns the report of a search of classes by the accuracy on held-out rows, whose winner is one of four base candidates. */
  static TuningReport heldOutTuning() {
    TrainConfig config = TrainConfig.DEFAULT.with(changes -> changes.hidden(32, 16).epochs(30).watch(Metric.ACCURACY));
    SearchSpace space = SearchSpace.parse("""
        {"activation": {"choice": ["relu", "leaky_relu", "sigmoid", "tanh", "silu", "gelu"]},
         "batchSize": {"linear": [10, 200]}}""");
    TuningResult result = TuningResults.of(new TuningSpec(config, space, 20, OptionalInt.empty(), 1), 4, 1, List.of(30),
        (candidate, drawn, rungs, fold, seed) -> candidate == 0 ? 0.97 + 0.004 * seed
            : 0.96 - 0.003 * candidate - (candidate == 7 ? 0.5 : 0));
    return tuning("moons.csv", result);
  }

  static TuningReport tuning(String title, TuningResult result) {
    return new TuningReport(title, List.of("data: " + title + ", 1797 rows, 64 features; task: classification (inferred)",
        result.candidates().size() + " candidates, judged by " + result.metric().label()), result,
        "plumb train " + title + " --config '" + TrainConfigJson.difference(result.winner()) + "'", MANIFEST);
  }
}
