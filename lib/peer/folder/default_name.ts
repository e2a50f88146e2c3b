/**
 * Makes up a name for a peer when its owner has not chosen one. It is easy to say across a room.
 * @module
 */

import { type Random, randomOf } from "../../core/random.ts";

const QUALITIES = [
  "amber brave calm clever cosmic curious daring eager gentle golden happy honest jolly keen kind",
  "lively lucky merry mighty noble patient polite proud quick quiet rapid shiny silver smart snowy",
  "solar steady sunny swift tidy tiny vivid warm wild wise",
].join(" ").split(" ");
const ANIMALS = [
  "badger bear beaver bison camel cat crane deer dolphin eagle falcon ferret finch fox gecko goose hare",
  "hawk heron ibex jackal koala lemur lion lynx marten mole moose otter owl panda parrot puffin raven",
  "robin seal sparrow stork swan tapir tiger toucan turtle whale wolf wombat yak zebra",
].join(" ").split(" ");

/** A random name such as `brave-otter`. */
export function defaultPeerName(random: Random): string {
  return `${randomOf(random, QUALITIES)}-${randomOf(random, ANIMALS)}`;
}
