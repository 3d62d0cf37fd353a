package dev.plumb.cli;

import dev.plumb.data.TextFormat;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.NamedEnum;
import dev.plumb.model.Loss;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Schedule;
import dev.plumb.study.RunList;
import dev.plumb.train.Metric;
import java.util.Collection;
import java.util.Set;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** The options of all commands. */
final class Flags {
  static final Option HELP = flag("help", "Show this help and exit.");
  static final Option VERSION = flag("version", "Show the version and exit.");
  static final Option QUIET = flag("quiet", "Suppress messages and progress on stderr, except errors.");

  static final Option DEVICE = value("device", "DEVICE",
      "Device: auto, cuda, cuda:N, cpu or reference; auto chooses a GPU if one can be used, otherwise the CPU (default: auto).");
  static final Option DEVICES = meaning(DEVICE, "DEVICE", "Device: auto, cuda, cuda:N, cuda:all (all GPUs), cpu or reference; auto"
      + " chooses a GPU if one can be used, otherwise the CPU (default: auto).");
  static final Option ON = value("on", "URL", "Train on an Apache Spark cluster: spark://HOST:PORT, yarn, k8s://HOST:PORT, or, on this"
      + " machine, local-cluster[EXECUTORS,CORES,MB].");
  static final Option NO_GRAPH = flag("no-graph", "On a GPU, launch every kernel separately instead of replaying CUDA graphs.");
  static final Option PLANNER = value("planner", "PLANNER",
      "On a GPU: fused (one thread block per network), layered (layer by layer), or auto, the faster one (default: auto).");
  static final Option THREADS =
      value("threads", "N", "Number of CPU threads; results do not depend on it (default: all cores).");
  static final Option PRECISION = precision("fp64");
  static final Option SEED = value("seed", "N", "Random seed, 0 to 4294967295 (default: 42).");
  static final Option SPLIT_SEED = value("split-seed", "N",
      "Random seed for the split only; everything else still uses --seed (default: the split uses the random stream of --seed).");
  static final Option JSON = value("json", "FILE", "Also write the result to FILE as JSON.");
  static final Option REPORT = value("report", "FILE", "Write an HTML report to FILE.");
  static final Option CSV = value("csv", "FILE", "For a grid: write one CSV line per network to FILE.");
  static final Option LOG =
      value("log", "FILE", "For a grid: store each finished network in FILE, for --resume (default: NAME-n.runs).");
  static final Option SEEDS = value("seeds", "N",
      "Train each network from N consecutive seeds, starting at --seed (default: 1; depth: 1000; grid: from"
          + " SPEC.json).");

  static final Option LAYERS = value("layers", "N,N,...", "Layer widths, from the inputs to the outputs (default: 3,8,8,1).");
  static final Option ACTIVATION = choice("activation", "Activation function", NamedEnum.keys(Activation.class), "tanh");
  static final Option NORMALIZATION =
      choice("normalization", "Normalization of hidden layers before the activation", NamedEnum.keys(Normalization.class), "none");
  static final Option RESIDUAL = flag("residual", "Hidden layers with as many units as inputs add their input to their output.");
  static final Option FROM = value("from", "MODEL", "Start from the parameters of a trained model (a run folder or a model file): with its network"
      + " and encoding of the features; the output layer is new if the classes or targets differ.");
  static final Option CALIBRATE =
      flag("calibrate", "Calibrate the probabilities of the classes by temperature scaling on rows that are held out.");
  static final Option NO_RESIDUAL = flag("no-residual", "No residual connections, even if --config has them.");
  static final Option LOSS = choice("loss", "Loss function", NamedEnum.keys(Loss.class), "mse");
  static final Option OPTIMIZER = choice("optimizer", "Optimizer", NamedEnum.keys(OptimizerSpec.Kind.class), "sgd");
  static final Option INITIALIZER = choice("initializer", "Weight initializer", NamedEnum.keys(Initializer.class), "pytorch");
  static final Option LEARNING_RATE = value("lr", "RATE", "Learning rate (default: 0.01).");
  static final Option STEPS =
      value("steps", "N", "Compare at the initial weights and again after N training steps (default: 10).");
  static final Option MODE = value("mode", "MODE",
      "fail (name the first tensor out of bounds), report (name all of them) or histogram (also count errors by power of ten)"
          + " (default: fail).");
  static final Option CHECK_EVERY =
      value("check-every", "N", "Compare steps 0, N, 2N, ... of each training with the reference, tensor by tensor.");
  static final Option CHECK_MODE = value("check-mode", "MODE",
      "On disagreement: fail (stop), report (name the tensors and continue) or histogram (count errors by power of ten)"
          + " (default: fail).");
  static final Option DATA = value("data", "SOURCE",
      "random (any shape) or notebook (3 inputs, 1 output) (default: random).");
  static final Option SAMPLES = value("samples", "N", "Number of rows of the data (default: 33).");
  static final Option QUICK = flag("quick", "Fewer and shorter runs, as a smoke test; the figures are less accurate.");

  static final Option TARGET = value("target", "COL[,COL]",
      "Target columns; put a name that contains a comma in double quotes (default: the last column; NPZ: all of y).");
  static final Option FEATURES = value("features", "COL[,COL]", "Feature columns (default: all other columns).");
  static final Option EXCLUDE = value("exclude", "COL[,COL]",
      "Columns that are neither features nor targets, such as ids; later files need not have them.");
  static final Option CATEGORICAL = value("categorical", "COL[,COL]",
      "Numeric columns to treat as categories, such as region codes; the values of a target in this list are classes.");
  static final Option TASK = value("task", "TASK", "regression or classification (default: inferred from the target).");
  static final Option MISSING = value("missing", "MODE",
      "Missing values: refuse; drop the rows; mean or median (replace numbers; missing text is a category); or indicator (mean, and an"
          + " input marks missing numbers). All but refuse drop rows without a target or weight (default: refuse).");
  static final Option NO_STANDARDIZE = flag("no-standardize", "Use numbers as they are, without standardizing them.");
  static final Option HEADER =
      value("header", "yes|no", "Whether the first line contains the column names (default: inferred).");
  static final Option DELIMITER = value("delimiter", "CHAR",
      "Field delimiter: one character, the word tab, or the word space for any run of blanks and tabs (default: inferred).");
  static final Option NA_VALUES = value("na-values", "WORD[,WORD]",
      "Words that mean a missing value, '' for none; in text columns, such words in double quotes are ordinary values (default: "
          + String.join(",", TextFormat.DEFAULT_NA_VALUES) + ").");
  static final Option LABELS =
      value("labels", "FILE", "Labels of an IDX file of images (default: the labels file next to it).");
  static final Option FOLDS = value("folds", "K", "Number of folds (default: 5).");
  static final Option GROUP =
      value("group", "COL", "Column of groups: the rows of a group are all in the same fold. It is not a feature, unless"
          + " --features names it.");
  static final Option TIME =
      value("time", "COL", "Column of times, numbers or text such as 2024-01-31: each fold is predicted from earlier rows only. It"
          + " is not a feature, unless --features names it.");
  static final Option REPEATS = value("repeats", "N", "Divide the rows into folds N times (default: 1).");
  static final Option METRIC = value("metric", "METRIC", "Metric whose decrease is measured (for an error, its increase): "
      + String.join(", ", NamedEnum.keys(Metric.class)) + " (default: accuracy for classes, r2 for numbers).");
  static final Option VALIDATION = value("validation", "FRACTION",
      "Fraction of the rows to hold out for choosing the best epoch; if that would be fewer than 30 rows, none are held out"
          + " (default: 0.1; train chooses by folds on small tables).");
  static final Option TEST = value("test", "FILE", "Test data, evaluated after training.");
  static final Option SCHEDULE = value("schedule", "NAME", "Learning-rate schedule: "
      + String.join(", ", NamedEnum.keys(Schedule.Kind.class)) + "; --config sets its parameters (default: cosine).");
  static final Option WARM_UP = value("warm-up", "N", "Epochs in which the learning rate rises linearly from 0 (default: 0).");
  static final Option EPOCHS = value("epochs", "N", "Maximum number of epochs (default: 20 to 200, fewer for more rows, or chosen by folds).");
  static final Option BATCH_SIZE = value("batch-size", "N|all", "Rows per step; all for full-batch training (default: 32).");
  static final Option MOMENTUM = value("momentum", "M", "Momentum of sgd (default: 0).");
  static final Option WEIGHT_DECAY =
      value("weight-decay", "W", "L2 penalty added to the gradient; decoupled for adamw (default: chosen from the number of steps; 0.01 with --optimizer"
          + " adamw, otherwise 0).");
  static final Option CLIP_NORM = value("clip-norm", "NORM", "Maximum norm of the gradient (default: no limit).");
  static final Option DROPOUT = value("dropout", "P", "Dropout probability of hidden units (default: 0; 0.2 if folds choose it).");
  static final Option EARLY_STOPPING =
      value("early-stopping", "N", "Stop after N epochs without an improvement of the watched metric (--watch);"
          + " 0 to disable (default: 50; 0 without validation rows).");
  static final Option WATCH = value("watch", "METRIC", "Metric of the validation rows (training rows if none are held out) that chooses"
      + " the best epoch and that early stopping watches: " + String.join(", ", NamedEnum.keys(Metric.class)) + " (default: loss).");
  static final Option WEIGHT = value("weight", "COL", "Column with the weight of each row in the loss; it is not a feature.");
  static final Option THRESHOLD = value("threshold", "T",
      "For two classes: predict the second class if its probability is at least T, above 0 and below 1 (default: the more probable"
          + " class).");
  static final Option CHOOSE_THRESHOLD = value("choose-threshold", "f1|youden",
      "For two classes: choose the threshold with the highest F1 score or Youden's J on these rows.");
  static final Option CLASS_WEIGHTS = value("class-weights", "balanced|NAME=W[,NAME=W]",
      "Weights of the classes in the loss; balanced: all classes count the same.");
  static final Option IMPORTANCE = flag("importance", "Add the permutation importance of each column on held-out rows to the report"
      + " (default: only if it takes no more than a few percent of the training time).");
  static final Option CONFIG =
      value("config", "FILE|JSON", "Read the configuration from a JSON file, or from JSON text that starts with {; command-line"
          + " options override it.");
  static final Option TRIALS = value("trials", "N", "Number of candidates (default: 60).");
  static final Option RUNGS = value("rungs", "N",
      "Maximum number of rungs, besides that of 200 epochs; 1: random search (default: 3).");
  static final Option MINUTES = value("minutes", "M",
      "As many candidates as take about M minutes on this machine, measured before the search; --trials repeats it.");
  static final Option SPACE = value("space", "FILE|JSON",
      "Distributions of the hyperparameters: a JSON file, or JSON text that starts with {.");
  static final Option PRINT_CONFIG = flag("print-config", "Print the effective configuration as JSON and exit.");
  static final Option NAME = value("name", "NAME", "Name of the run folder, NAME-n (default: the name of DATA).");
  static final Option RUNS = value("runs", "DIR", "Folder in which run folders are created (default: runs).");
  static final Option SORT = choice("sort", "Order of the runs", NamedEnum.keys(RunList.Sort.class), "date");
  static final Option RESUME =
      value("resume", "RUN", "Resume a run that was stopped or killed; the result is bit-identical to an uninterrupted run.");
  static final Option ALLOW_OTHER_NUMERICS = flag("allow-other-numerics",
      "Resume under another version of Plumb or Java, another device or another BLAS library; this is recorded, and the result"
          + " is not bit-identical.");
  static final Option CHECKPOINT_EVERY = value("checkpoint-every", "SECONDS", "Time between checkpoints (default: 30).");
  static final Option OUT = value("out", "FILE", "Output file (default: standard output).");
  static final Option FORMAT = value("format", "FORMAT", "onnx, safetensors or npz (default: from the extension of FILE).");

  /** Options whose value may be blank. */
  static final Set<Option> MAY_BE_BLANK = Set.of(DELIMITER, NA_VALUES);

  private Flags() {}

  /** Returns the same option with another argument name and description, for one command. */
  static Option meaning(Option option, String argument, String description) {
    return value(option.getLongOpt(), argument, description);
  }

  /** Returns the same flag with another description, for one command. */
  static Option meaning(Option option, String description) {
    return flag(option.getLongOpt(), description);
  }

  /** Returns the option for the precision, with a command's default in its description. */
  static Option precision(String defaultPrecision) {
    return value("precision", "PRECISION",
        "Precision: fp64 or fp32; on GPUs with tensor cores also tf32 or bf16 (default: " + defaultPrecision + ").");
  }

  /** Returns an option whose value is one of some names, with another default for one command. */
  static Option withDefault(Option option, Collection<String> names, String defaultName) {
    return choice(option.getLongOpt(), option.getDescription().split(":", 2)[0], names, defaultName);
  }

  /** Returns a command's own options and those of every command. */
  static Options options(Option... commandOptions) {
    Options options = new Options();
    for (Option option : commandOptions) {
      options.addOption(option);
    }
    return options.addOption(QUIET).addOption(HELP).addOption(VERSION);
  }

  /** Returns the options that are valid without a command. */
  static Options topLevel() {
    return new Options().addOption(HELP).addOption(VERSION);
  }

  private static Option flag(String name, String description) {
    return Option.builder().longOpt(name).desc(description).get();
  }

  private static Option value(String name, String argument, String description) {
    return Option.builder().longOpt(name).hasArg().argName(argument).desc(description).get();
  }

  private static Option choice(String name, String meaning, Collection<String> names, String defaultName) {
    return value(name, "NAME", meaning + ": " + String.join(", ", names) + " (default: " + defaultName + ").");
  }
}
