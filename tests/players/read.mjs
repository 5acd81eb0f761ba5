// Read lyrics with a parser that a player uses.
// Standard input: {"reader": NAME, "texts": [TEXT, …]}; standard output: what it reads in each.
import { DOMParser } from "@xmldom/xmldom";
import webvtt from "webvtt-parser";

// AMLL's packages look for the browser's parser.
globalThis.DOMParser = DOMParser;
const { parseLrcA2, parseTTML } = await import("@applemusic-like-lyrics/lyric");
const { TTMLParser } = await import("@applemusic-like-lyrics/ttml");

const readers = {
  "amll-ttml": (text) => new TTMLParser({ domParser: new DOMParser() }).parse(text),
  "amll-lyric": (text) => parseTTML(text),
  "amll-lrc": (text) => parseLrcA2(text),
  webvtt: (text) => new webvtt.WebVTTParser().parse(text, "subtitles/captions/descriptions"),
};

let input = "";
for await (const piece of process.stdin) input += piece;
const { reader, texts } = JSON.parse(input);
process.stdout.write(JSON.stringify(texts.map(readers[reader])));
