package dev.plumb.spark;

import dev.plumb.Device;
import dev.plumb.backend.Planner;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import dev.plumb.store.ModelFile;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.RunFolder;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.SparkContext;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;

/**
 * A trained model as a stage of a Spark ML pipeline. It adds the columns of {@code plumb score}: the predicted class and the
 * probability of every class, or the predicted numbers; null for rows whose outputs are not finite. Columns are found by name.
 *
 * <p>A saved pipeline contains the model, so that it can be moved without the model's file. Rows that the model cannot predict,
 * with a missing value that it does not fill in, end the job with an {@link InvalidInputException}.
 */
public final class PlumbTransformer extends Transformer implements MLWritable {
  private static final long serialVersionUID = 1L;

  /** The model in the folder of a saved stage. */
  private static final String MODEL_FILE = "model.safetensors";

  private final String uid;
  private final Param<String> modelPath;
  private final Param<String> device;
  private final Param<String> precision;
  /** The path that the model was read from; null until it is read. */
  private String readFrom;
  private transient TrainedModel model;
  private byte[] modelBytes;
  /** The model on the executors, and what it was made for. */
  private transient SharedModel shared;
  private transient SparkContext sharedBy;

  /** Creates a stage without a model; {@link #setModelPath} sets it. */
  public PlumbTransformer() {
    this("plumb_" + UUID.randomUUID().toString().replace("-", "").substring(0, 12));
  }

  /**
   * Creates a stage without a model, as Spark does when it loads a pipeline.
   *
   * @param uid unique id of the stage
   */
  public PlumbTransformer(String uid) {
    this.uid = uid;
    modelPath = new Param<>(uid, "modelPath", "run folder or model.safetensors, on the machine of the driver");
    device = new Param<>(uid, "device", "device of each task: auto, cuda, cpu or reference");
    precision = new Param<>(uid, "precision", "precision of the computation, such as fp32; empty for the model's");
    set("device", "auto");
    set("precision", "");
  }

  @Override
  public String uid() {
    return uid;
  }

  /** Returns the parameter modelPath. */
  public Param<String> modelPath() {
    return modelPath;
  }

  /** Returns the parameter device. */
  public Param<String> device() {
    return device;
  }

  /** Returns the parameter precision. */
  public Param<String> precision() {
    return precision;
  }

  /**
   * Sets the model and reads it.
   *
   * @param path of a run folder or its model.safetensors, on the machine of the driver
   * @return this
   * @throws InvalidInputException when it cannot be read
   */
  public PlumbTransformer setModelPath(String path) {
    set(modelPath, path);
    model();
    return this;
  }

  /**
   * Sets the device of each task.
   *
   * @param name auto, cuda, cpu or reference; auto, the default, is cuda if Spark's executors have GPUs, otherwise cpu
   * @return this
   */
  public PlumbTransformer setDevice(String name) {
    Device parsed = Device.parse(name);
    if (parsed.kind() == Device.Kind.CUDA_ALL || parsed.ordinal() > 0) {
      throw new InvalidInputException("device " + name + ": Spark assigns the GPUs; use cuda");
    }
    set(device, name);
    return this;
  }

  /**
   * Sets the precision of the computation.
   *
   * @param name fp64, fp32, tf32 or bf16; empty, the default, for the model's, or fp32 where the device does not support it
   * @return this
   */
  public PlumbTransformer setPrecision(String name) {
    parsePrecision(name);
    set(precision, name);
    return this;
  }

  private static Optional<Precision> parsePrecision(String name) {
    return name.isEmpty() ? Optional.empty() : Optional.of(Precision.of(name));
  }

  private String path() {
    if (!isDefined(modelPath)) {
      throw new InvalidInputException(uid + ": has no model; call setModelPath");
    }
    return getOrDefault(modelPath);
  }

  /** Returns the model; reads it again if the path was changed. */
  private TrainedModel model() {
    if (readFrom == null || !readFrom.equals(path())) {
      Path path = Path.of(path());
      read(ModelFile.read(Files.isDirectory(path) ? RunFolder.open(path).model() : path));
    } else if (model == null) {
      model = ModelFile.read(modelBytes);
    }
    return model;
  }

  private void read(TrainedModel read) {
    model = read;
    modelBytes = SharedModel.bytes(read);
    readFrom = path();
    shared = null;
  }

  @Override
  public Dataset<Row> transform(Dataset<?> dataset) {
    model();
    SparkContext context = dataset.sparkSession().sparkContext();
    DeviceRequest request = new DeviceRequest(
        SparkCluster.deviceKind(context.getConf(), Device.parse(getOrDefault(device))), true, Planner.AUTO);
    Optional<Precision> chosen = parsePrecision(getOrDefault(precision));
    if (shared == null || sharedBy != context || !shared.device.equals(request) || shared.precision != chosen.orElse(null)) {
      shared = new SharedModel(context, modelBytes, request, chosen);
      sharedBy = context;
    }
    return ScoredRows.of(dataset.toDF(), shared, uid, null);
  }

  @Override
  public StructType transformSchema(StructType schema) {
    return PredictionColumns.checkedSchema(model(), schema, uid);
  }

  @Override
  public PlumbTransformer copy(ParamMap extra) {
    PlumbTransformer copy = new PlumbTransformer(uid);
    copy.readFrom = readFrom;
    copy.model = model;
    copy.modelBytes = modelBytes;
    return copyValues(copy, extra);
  }

  @Override
  public MLWriter write() {
    model();
    return new Writer(this);
  }

  /** Returns a reader of saved stages, as Spark calls it when it loads a pipeline. */
  public static MLReader<PlumbTransformer> read() {
    return new Reader();
  }

  /**
   * Loads a saved stage.
   *
   * @param path of its folder
   * @return the stage
   */
  public static PlumbTransformer load(String path) {
    return read().load(path);
  }

  private static final class Writer extends DefaultParamsWriter {
    private final PlumbTransformer stage;

    Writer(PlumbTransformer stage) {
      super(stage);
      this.stage = stage;
    }

    @Override
    public void saveImpl(String path) {
      super.saveImpl(path);
      org.apache.hadoop.fs.Path file = new org.apache.hadoop.fs.Path(path, MODEL_FILE);
      try {
        FileSystem system = file.getFileSystem(sparkSession().sparkContext().hadoopConfiguration());
        try (OutputStream out = system.create(file, true)) {
          out.write(stage.modelBytes);
        }
      } catch (IOException e) {
        throw new InvalidInputException(file + ": cannot be written: " + e.getMessage(), e);
      }
    }
  }

  private static final class Reader extends DefaultParamsReader<PlumbTransformer> {
    @Override
    public PlumbTransformer load(String path) {
      PlumbTransformer stage = super.load(path);
      org.apache.hadoop.fs.Path file = new org.apache.hadoop.fs.Path(path, MODEL_FILE);
      try {
        FileSystem system = file.getFileSystem(sparkSession().sparkContext().hadoopConfiguration());
        try (InputStream in = system.open(file)) {
          stage.read(ModelFile.read(in.readAllBytes()));
        }
      } catch (IOException e) {
        throw new InvalidInputException(file + ": cannot be read: " + e.getMessage(), e);
      }
      return stage;
    }
  }
}
