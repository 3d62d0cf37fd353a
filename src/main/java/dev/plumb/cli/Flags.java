package dev.plumb.cli;

import dev.plumb.backend.Planner;
import dev.plumb.data.TextFormat;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.NamedEnum;
import dev.plumb.model.Loss;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.Schedule;
import java.util.Set;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** Every option of every command, once. */
final class Flags {
  static final Option HELP = flag("help", "show this help and exit");
  static final Option VERSION = flag("version", "show the version and exit");
  static final Option QUIET = flag("quiet", "no messages and no progress on stderr, errors excepted");

  static final Option DEVICE = value("device", "DEVICE", "auto, cuda, cuda:N, cpu or reference (default: auto)");
  static final Option NO_GRAPH = flag("no-graph", "on a GPU, launch by launch instead of many steps as one recorded graph");
  static final Option PLANNER = value("planner", "PLANNER",
      "on a GPU: fused (one block per network), layered (layer by layer), or auto for the faster one (default: auto)");
  static final Option THREADS =
      value("threads", "N", "threads on a CPU; they change the time, never a digit (default: one a processor)");
  static final Option PRECISION =
      value("precision", "PRECISION", String.join(", ", NamedEnum.keys(Precision.class))
          + " (default: fp64; check: fp32 where the device is not the reference)");
  static final Option SEED = value("seed", "N", "seed of the random stream, 0 to 4294967295 (default: 42, or the SPEC's)");
  static final Option JSON = value("json", "FILE", "write the result there too, for machines");
  static final Option REPORT = value("report", "FILE",
      "write a page to look at there too: HTML that opens in any browser, offline");
  static final Option CSV = value("csv", "FILE", "write every network of a grid there too, a line each");
  static final Option LOG = value("log", "FILE", "where a grid's networks are kept as they are finished (default: NAME-n.runs)");
  static final Option SEEDS =
      value("seeds", "N", "train each network from N seeds, the first one and those after it (default: 1)");

  static final Option LAYERS = value("layers", "N,N,...", "widths from the inputs to the outputs (default: 3,8,8,1)");
  static final Option ACTIVATION =
      value("activation", "NAME", String.join(", ", NamedEnum.keys(Activation.class)) + " (default: tanh)");
  static final Option LOSS = value("loss", "NAME", String.join(", ", NamedEnum.keys(Loss.class)) + " (default: mse)");
  static final Option OPTIMIZER =
      value("optimizer", "NAME", String.join(", ", NamedEnum.keys(OptimizerSpec.Kind.class)) + " (default: sgd)");
  static final Option INITIALIZER =
      value("initializer", "NAME", String.join(", ", NamedEnum.keys(Initializer.class)) + " (default: pytorch)");
  static final Option LEARNING_RATE = value("lr", "RATE", "learning rate (default: 0.01)");
  static final Option STEPS =
      value("steps", "N", "check at the first weights, and again after N steps of training (default: 10)");
  static final Option MODE = value("mode", "MODE",
      "fail (name the first tensor out of bounds), report (name all), histogram (count errors by decade) (default: fail)");
  static final Option CHECK_EVERY =
      value("check-every", "N", "hold steps 0, N, 2N, ... of each training against the reference, tensor by tensor");
  static final Option CHECK_MODE = value("check-mode", "MODE",
      "on disagreement: fail (stop), report (go on, name tensors), histogram (count by decade) (default: fail)");
  static final Option DATA = value("data", "SOURCE", "random (any shape) or notebook (3 inputs, 1 output) (default: random)");
  static final Option SAMPLES = value("samples", "N", "rows of the data (default: 33)");
  static final Option QUICK = flag("quick", "fewer and shorter runs, to see that it works; the figures are poor");

  static final Option TARGET = value("target", "COL[,COL]",
      "columns to learn; a name with a comma in double quotes (default: the last one; of NPZ all of y)");
  static final Option FEATURES = value("features", "COL[,COL]", "columns to learn from (default: all others)");
  static final Option CATEGORICAL =
      value("categorical", "COL[,COL]", "columns of categories that are written in digits, such as region codes; a target has classes");
  static final Option TASK = value("task", "TASK", "regression or classification (default: what the target looks like)");
  static final Option MISSING = value("missing", "WHAT",
      "rows with a missing value: refuse, drop, or mean to fill in means and the most frequent category (default: refuse)");
  static final Option NO_STANDARDIZE = flag("no-standardize", "numbers as they are, not brought to mean 0 and deviation 1");
  static final Option HEADER =
      value("header", "yes|no", "whether the first line has the columns' names (default: inferred)");
  static final Option DELIMITER =
      value("delimiter", "CHAR", "between the fields of a line; tab, or space for runs of blanks (default: inferred)");
  static final Option NA_VALUES = value("na-values", "WORD[,WORD]",
      "words that stand for a missing value, '' for none (default: " + String.join(",", TextFormat.DEFAULT_NA_VALUES)
          + "; in quotes only in columns of numbers)");
  static final Option LABELS = value("labels", "FILE", "the labels of an IDX file of images (default: the file beside it)");
  static final Option VALIDATION =
      value("validation", "SHARE", "of the rows, held back to choose the best epoch by, unless fewer than 30 (default: 0.1)");
  static final Option TEST = value("test", "FILE", "more rows, to say how good the model is at the end");
  static final Option SCHEDULE = value("schedule", "NAME", String.join(", ", NamedEnum.keys(Schedule.Kind.class))
      + "; their constants in --config (default: cosine)");
  static final Option WARM_UP = value("warm-up", "N", "epochs over which the learning rate rises from 0 (default: 0)");
  static final Option EPOCHS = value("epochs", "N", "passes over the data at most (default: 200)");
  static final Option BATCH_SIZE = value("batch-size", "N|all", "rows of a step (default: 32)");
  static final Option MOMENTUM = value("momentum", "M", "of sgd (default: 0)");
  static final Option WEIGHT_DECAY =
      value("weight-decay", "W", "L2 in the gradient, decoupled for adamw (default: 0, adamw 0.01)");
  static final Option CLIP_NORM = value("clip-norm", "N", "the largest norm of the gradients (default: any)");
  static final Option DROPOUT = value("dropout", "P", "probability of a hidden unit to be left out of a step (default: 0)");
  static final Option EARLY_STOPPING =
      value("early-stopping", "N", "end after N epochs without a lower loss; 0 for never (default: 50)");
  static final Option CONFIG =
      value("config", "FILE", "all of the training's options as JSON; options beside it have the last word");
  static final Option PRINT_CONFIG = flag("print-config", "print the configuration as JSON and exit");
  static final Option NAME = value("name", "NAME", "of the run folder, NAME-n (default: the data file's)");
  static final Option RUNS = value("runs", "FOLDER", "where run folders are made (default: runs)");
  static final Option RESUME = value("resume", "RUN", "go on with a run that was stopped or killed, bit for bit");
  static final Option ALLOW_OTHER_NUMERICS = flag("allow-other-numerics",
      "resume under another version of Plumb or Java, another device or library of matrix products, and record it; the result is"
          + " then not the same bit for bit");
  static final Option CHECKPOINT_EVERY = value("checkpoint-every", "SECONDS", "how often a run is saved (default: 30)");
  static final Option OUT = value("out", "FILE", "where to (default: standard output)");
  static final Option FORMAT = value("format", "FORMAT", "onnx, safetensors or npz (default: by the file's ending)");

  /** Options whose value may be blank. */
  static final Set<Option> MAY_BE_BLANK = Set.of(DELIMITER, NA_VALUES);

  private Flags() {}

  /** The same option with what it means for one command. */
  static Option meaning(Option option, String argument, String description) {
    return value(option.getLongOpt(), argument, description);
  }

  static Options options(Option... ofCommand) {
    Options options = new Options();
    for (Option option : ofCommand) {
      options.addOption(option);
    }
    return options.addOption(QUIET).addOption(HELP).addOption(VERSION);
  }

  /** What may stand before a command. */
  static Options topLevel() {
    return new Options().addOption(HELP).addOption(VERSION);
  }

  private static Option flag(String name, String description) {
    return Option.builder().longOpt(name).desc(description).get();
  }

  private static Option value(String name, String argument, String description) {
    return Option.builder().longOpt(name).hasArg().argName(argument).desc(description).get();
  }
}
