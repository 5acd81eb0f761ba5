// What Navidrome calls. An instance lives for one call.
import { Host, LogLevel, Memory } from "@extism/as-pdk";
import { error_set } from "@extism/as-pdk/lib/env";
import { Bytes, utf8 } from "./bytes";
import { Json, asJson } from "./json";
import { Answer, Song, get, post, wordTimed } from "./service";

const NOTHING = '{"lyrics":[]}';

/** Asked for the lyrics of a song: they are given if every word has its time. Else the service is
 * asked to do the song before others, and Navidrome goes on to its other sources. */
export function nd_lyrics_get_lyrics(): i32 {
  const song = new Song(track());
  if (!song.named) return say(utf8(NOTHING));
  const query = new Bytes().text("/lyrics?format=lrc").bytes(song.query()).take();
  const answer = get(query);
  if (answer.status == 401) return fail(answer.trouble());
  if (wordTimed(answer)) {
    const out = new Bytes().text('{"lyrics":[{"lang":"xxx","text":').bytes(asJson(answer.body));
    return say(out.text("}]}").take());
  }
  if (!warned(answer)) bringForward(song);
  return say(utf8(NOTHING));
}

/** A song has begun to play: the service does it before others. */
export function nd_scrobbler_now_playing(): i32 {
  const song = new Song(track());
  if (!song.named) return 0;
  const answer = bringForward(song);
  return answer.status == 401 ? fail("scrobbler(not_authorized): " + answer.trouble()) : 0;
}

/** Navidrome has checked that the user is one of those chosen. */
export function nd_scrobbler_is_authorized(): i32 {
  return say(utf8("true"));
}

/** Plays are not recorded. */
export function nd_scrobbler_scrobble(): i32 {
  return 0;
}

/** Positions within songs are not recorded either. */
export function nd_scrobbler_playback_report(): i32 {
  return 0;
}

/** Check the configuration when Navidrome has loaded the plugin; errors go to its log. */
export function nd_on_init(): i32 {
  const answer = get(utf8("/status"));
  let trouble = answer.trouble();
  if (trouble.length == 0 && !Json.parse(answer.body).get("libraries").there) {
    trouble = "what answers at the configured address is not lyricsyncd";
  }
  if (trouble.length == 0) return say(utf8("{}"));
  return say(new Bytes().text('{"error":').bytes(asJson(utf8(trouble))).text("}").take());
}

function bringForward(song: Song): Answer {
  const answer = post(utf8("/events"), song.event());
  warned(answer);
  return answer;
}

function warned(answer: Answer): bool {
  const trouble = answer.trouble();
  if (trouble.length) Host.log(LogLevel.Warn, trouble);
  return trouble.length > 0;
}

function track(): Json {
  return Json.parse(Host.input()).get("track");
}

function say(bytes: Uint8Array): i32 {
  // Not outputString: it counts characters and not bytes.
  Host.output(bytes);
  return 0;
}

function fail(message: string): i32 {
  error_set(Memory.allocateString(message).offset);
  return 1;
}

/** Takes the place of env.abort, which is not there. */
export function abortHook(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}
