// What panels in files of their own take from the bundle: it is not in their files again.

export * from "./colours";
export * from "./dom";
export * from "./feeding";
export * from "./naming";
export * from "./patches";
export * from "./scale";
export * from "./scene";
export * from "./stored";
