package dev.plumb.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A headless Chromium, controlled over its DevTools protocol: opens pages, evaluates expressions, and records messages and
 * requests. If Chromium is not installed, the test fails with the name of the package to install.
 */
final class Chromium implements AutoCloseable {
  private static final List<String> NAMES = List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");

  /** Timeout after which the browser counts as hung. */
  private static final long SECONDS = 120;

  private final ObjectMapper json = new ObjectMapper();
  private final Process process;
  private WebSocket socket;
  private final Map<Integer, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
  private final List<String> complaints = Collections.synchronizedList(new ArrayList<>());
  private final List<String> requests = Collections.synchronizedList(new ArrayList<>());
  private String session;
  private volatile CompletableFuture<Void> loaded = new CompletableFuture<>();
  private int lastId;

  /** @param profile an empty folder for the browser's files */
  Chromium(Path profile) throws Exception {
    process = new ProcessBuilder(program().toString(), "--headless=new", "--no-sandbox", "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
        "--no-first-run",
        "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-port=0", "--user-data-dir=" + profile,
        "about:blank").redirectErrorStream(true).start();
    try {
      socket = HttpClient.newHttpClient()
          .newWebSocketBuilder()
          .buildAsync(address(), new Incoming())
          .get(SECONDS, TimeUnit.SECONDS);
      String target = send("", "Target.createTarget", Map.of("url", "about:blank")).get("targetId").asText();
      session = send("", "Target.attachToTarget", Map.of("targetId", target, "flatten", true)).get("sessionId").asText();
      for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
        send(session, domain + ".enable", Map.of());
      }
    } catch (Exception | AssertionError e) {
      kill();
      throw e;
    }
  }

  private static Path program() {
    return NAMES.stream()
        .flatMap(name -> Stream.of(System.getenv("PATH").split(File.pathSeparator)).map(folder -> Path.of(folder, name)))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(() -> new AssertionError("Chromium is not installed; Debian: apt-get install chromium"));
  }

  /** Reads the address from Chromium's output, and discards the later output so that the pipe does not fill up. */
  private URI address() throws IOException {
    BufferedReader output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    StringBuilder lines = new StringBuilder();
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      lines.append(line).append('\n');
      if (line.startsWith("DevTools listening on ")) {
        Thread reader = new Thread(() -> output.lines().forEach(ignored -> {}), "chromium-output");
        reader.setDaemon(true);
        reader.start();
        return URI.create(line.substring("DevTools listening on ".length()).strip());
      }
    }
    throw new AssertionError("Chromium did not start: " + lines);
  }

  /** Opens a file in a window of the given width, and waits until it is drawn. */
  void open(Path file, int width, boolean dark) throws Exception {
    complaints.clear();
    requests.clear();
    send(session, "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", 900, "deviceScaleFactor", 1, "mobile", width < 600));
    send(session, "Emulation.setEmulatedMedia",
        Map.of("media", "", "features", List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
    loaded = new CompletableFuture<>();
    send(session, "Page.navigate", Map.of("url", file.toUri().toString()));
    loaded.get(SECONDS, TimeUnit.SECONDS);
    evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))");
  }

  /** Returns the value of an expression in the page, as JSON. */
  JsonNode evaluate(String expression) throws Exception {
    JsonNode answer = send(session, "Runtime.evaluate",
        Map.of("expression", expression, "returnByValue", true, "awaitPromise", true));
    if (answer.has("exceptionDetails")) {
      throw new AssertionError(expression + ": " + answer.get("exceptionDetails"));
    }
    return answer.get("result").path("value");
  }

  void moveMouse(double x, double y) throws Exception {
    send(session, "Input.dispatchMouseEvent", Map.of("type", "mouseMoved", "x", x, "y", y));
  }

  void pressKey(String key) throws Exception {
    send(session, "Input.dispatchKeyEvent", Map.of("type", "keyDown", "key", key));
    send(session, "Input.dispatchKeyEvent", Map.of("type", "keyUp", "key", key));
  }

  /** Writes a screenshot of the whole page. */
  void screenshot(Path png) throws Exception {
    JsonNode answer = send(session, "Page.captureScreenshot", Map.of("format", "png", "captureBeyondViewport", true));
    Files.createDirectories(png.getParent());
    Files.write(png, Base64.getDecoder().decode(answer.get("data").asText()));
  }

  /** Shows the open page as it would be printed. */
  void showAsPrinted() throws Exception {
    send(session, "Emulation.setEmulatedMedia", Map.of("media", "print", "features",
        List.of(Map.of("name", "prefers-color-scheme", "value", "dark"))));
  }

  /** Returns errors and messages of the page since it was opened. */
  List<String> complaints() {
    return List.copyOf(complaints);
  }

  /** Returns all addresses requested since the page was opened, including its own. */
  List<String> requests() {
    return List.copyOf(requests);
  }

  private JsonNode send(String sessionId, String method, Map<String, ?> parameters) throws Exception {
    int id = ++lastId;
    ObjectNode message = json.createObjectNode().put("id", id).put("method", method);
    if (!sessionId.isEmpty()) {
      message.put("sessionId", sessionId);
    }
    message.set("params", json.valueToTree(parameters));
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    waiting.put(id, answer);
    socket.sendText(message.toString(), true).get(SECONDS, TimeUnit.SECONDS);
    JsonNode response = answer.get(SECONDS, TimeUnit.SECONDS);
    if (response.has("error")) {
      throw new AssertionError(method + ": " + response.get("error"));
    }
    return response.get("result");
  }

  private void receive(JsonNode message) {
    if (message.has("id")) {
      CompletableFuture<JsonNode> answer = waiting.remove(message.get("id").asInt());
      if (answer != null) {
        answer.complete(message);
      }
      return;
    }
    JsonNode parameters = message.get("params");
    switch (message.get("method").asText()) {
      case "Page.loadEventFired" -> loaded.complete(null);
      case "Network.requestWillBeSent" -> requests.add(parameters.get("request").get("url").asText());
      case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded" -> complaints.add(parameters.toString());
      default -> { }
    }
  }

  @Override
  public void close() {
    socket.sendText("{\"id\": 0, \"method\": \"Browser.close\"}", true);
    process.onExit().completeOnTimeout(process, 10, TimeUnit.SECONDS).join();
    kill();
  }

  private void kill() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly().onExit().join();
  }

  /** Collects the fragments of a message. */
  private final class Incoming implements WebSocket.Listener {
    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket sender, CharSequence data, boolean last) {
      text.append(data);
      if (last) {
        try {
          receive(json.readTree(text.toString()));
        } catch (IOException e) {
          complaints.add("not JSON: " + text);
        }
        text.setLength(0);
      }
      sender.request(1);
      return null;
    }
  }
}
