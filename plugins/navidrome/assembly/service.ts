// Talks to lyricsyncd, through Navidrome's HTTP service.
import { Config, Memory } from "@extism/as-pdk";
import { length } from "@extism/as-pdk/lib/env";
import { Bytes, fromBase64, quoted, same, toBase64, utf8 } from "./bytes";
import { Json, asJson } from "./json";

// Takes and gives a place in Extism's memory with JSON in it.
@external("extism:host/user", "http_send")
declare function http_send(request: u64): u64;

const DEFAULT_URL = "http://127.0.0.1:8786";
/** Of the 30 s that Navidrome allows; a person who opens a song does not wait long. */
const TIMEOUT_MS = 4000;

/** A response of the service. */
export class Answer {
  constructor(
    /** HTTP status; 0 without a response. */
    readonly status: i32,
    /** The body, or the reason for which there is no response. */
    readonly body: Uint8Array,
    private headers: Json | null = null,
  ) {}

  /** A header. Go writes their names in canonical case, others in lower case. */
  header(name: string): Uint8Array {
    const headers = this.headers;
    if (headers === null) return new Uint8Array(0);
    const value = headers.get(name);
    return (value.there ? value : headers.get(name.toLowerCase())).text();
  }

  /** Why the service is of no use as things are, for a person; empty where it is well. */
  trouble(): string {
    if (this.status == 0) {
      return "lyricsyncd cannot be reached at " + address() + ": " + String.UTF8.decode(this.body.buffer);
    }
    if (this.status == 401) return "lyricsyncd refuses the token: set it in the plugin's configuration";
    if (this.status == 429) return "lyricsyncd is asked too often";
    if (this.status >= 500) return "lyricsyncd is not well: status " + this.status.toString();
    return "";
  }
}

/** The configured address, without a slash at its end. */
export function address(): string {
  let url = setting("url");
  if (url.length == 0) url = DEFAULT_URL;
  while (url.endsWith("/")) url = url.substring(0, url.length - 1);
  return url;
}

function setting(name: string): string {
  const value = Config.get(name);
  return value === null ? "" : value.trim();
}

export function get(path: Uint8Array): Answer {
  return send("GET", path, new Uint8Array(0));
}

export function post(path: Uint8Array, body: Uint8Array): Answer {
  return send("POST", path, body);
}

function send(method: string, path: Uint8Array, body: Uint8Array): Answer {
  const url = new Bytes().text(address()).text("/api/v1").bytes(path).take();
  const request = new Bytes()
    .text('{"request":{"method":"').text(method)
    .text('","url":').bytes(asJson(url))
    .text(',"headers":{"Accept":"*/*"');
  const token = setting("token");
  if (token.length) request.text(',"Authorization":').bytes(asJson(utf8("Bearer " + token)));
  if (body.length) request.text(',"Content-Type":"application/json"');
  request.text('},"body":"').bytes(toBase64(body));
  request.text('","timeoutMs":').text(TIMEOUT_MS.toString()).text("}}");
  const offset = http_send(Memory.allocateBytes(request.take()).offset);
  if (offset == 0) return new Answer(0, utf8("Navidrome sent no request"));
  const reply = Json.parse(new Memory(offset, length(offset)).toUint8Array());
  const result = reply.get("result");
  const status = result.get("statusCode").whole();
  if (status <= 0) {
    const error = reply.get("error").text();
    return new Answer(0, error.length ? error : utf8("no answer"));
  }
  return new Answer(status, fromBase64(result.get("body").text()), result.get("headers"));
}

/** A song as Navidrome names it: as a query, and as an event. */
export class Song {
  private title: Uint8Array;
  private artist: Uint8Array;
  private album: Uint8Array;
  private path: Uint8Array;
  private recording: Uint8Array;
  private duration: Uint8Array;

  constructor(track: Json) {
    this.title = track.get("title").text();
    this.artist = track.get("artist").text();
    this.album = track.get("album").text();
    this.path = track.get("path").text();
    this.recording = track.get("mbzRecordingId").text();
    this.duration = track.get("duration").digits();
  }

  get named(): bool {
    return this.title.length > 0 || this.path.length > 0;
  }

  query(): Uint8Array {
    const out = new Bytes();
    this.parameter(out, "path", this.path);
    this.parameter(out, "title", this.title);
    this.parameter(out, "artist", this.artist);
    this.parameter(out, "album", this.album);
    this.parameter(out, "duration", this.duration);
    return out.take();
  }

  private parameter(out: Bytes, name: string, value: Uint8Array): void {
    if (value.length) out.byte(0x26).text(name).byte(0x3d).bytes(quoted(value));
  }

  /** Says that it plays. */
  event(): Uint8Array {
    const out = new Bytes().text('{"event":"playing"');
    if (this.path.length) out.text(',"path":').bytes(asJson(this.path));
    if (this.title.length) {
      out.text(',"tags":{"title":').bytes(asJson(this.title));
      this.member(out, "artist", this.artist);
      this.member(out, "album", this.album);
      this.member(out, "recording_id", this.recording);
      if (this.duration.length) out.text(',"duration":').bytes(this.duration);
      out.byte(0x7d);
    }
    return out.byte(0x7d).take();
  }

  private member(out: Bytes, name: string, value: Uint8Array): void {
    if (value.length) out.text(',"').text(name).text('":').bytes(asJson(value));
  }
}

export function wordTimed(answer: Answer): bool {
  return answer.status == 200 && same(answer.header("X-Lyrics-Timing"), "word");
}
