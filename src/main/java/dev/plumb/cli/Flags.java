package dev.plumb.cli;

import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.Keyed;
import dev.plumb.model.Loss;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** Every option of every command, once. */
final class Flags {
  static final Option HELP = flag("help", "show this help and exit");
  static final Option VERSION = flag("version", "show the version and exit");
  static final Option QUIET = flag("quiet", "no messages and no progress on stderr, errors excepted");

  static final Option DEVICE = value("device", "DEVICE", "auto, cuda, cuda:N, cpu or reference (default: auto)");
  static final Option NO_GRAPH = flag("no-graph", "on a GPU, launch by launch instead of many steps as one recorded graph");
  static final Option THREADS =
      value("threads", "N", "threads on a CPU; they change the time, never a digit (default: one a processor)");
  static final Option PRECISION =
      value("precision", "PRECISION", String.join(", ", Keyed.keys(Precision.class))
          + " (default: fp64; check: fp32 where the device is not the reference)");
  static final Option SEED = value("seed", "N", "seed of the random stream, 0 to 4294967295 (default: 42, or the SPEC's)");
  static final Option JSON = value("json", "FILE", "write the result there too, for machines");
  static final Option SEEDS =
      value("seeds", "N", "train each network from N seeds, the first one and those after it (default: 1)");

  static final Option LAYERS = value("layers", "N,N,...", "widths from the inputs to the outputs (default: 3,8,8,1)");
  static final Option ACTIVATION =
      value("activation", "NAME", String.join(", ", Keyed.keys(Activation.class)) + " (default: tanh)");
  static final Option LOSS = value("loss", "NAME", String.join(", ", Keyed.keys(Loss.class)) + " (default: mse)");
  static final Option OPTIMIZER =
      value("optimizer", "NAME", String.join(", ", Keyed.keys(OptimizerSpec.Kind.class)) + " (default: sgd)");
  static final Option INITIALIZER =
      value("initializer", "NAME", String.join(", ", Keyed.keys(Initializer.class)) + " (default: pytorch)");
  static final Option LEARNING_RATE = value("lr", "RATE", "learning rate (default: 0.01)");
  static final Option DROPOUT = value("dropout", "P", "probability of a hidden unit to be left out of a step (default: 0)");
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

  private Flags() {}

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
