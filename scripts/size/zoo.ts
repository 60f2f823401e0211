// What a program pays that lets its user choose among all models.
import { createModel, modelNames } from "@ocelli/zoo";

console.log(modelNames.map((name) => createModel(name)));
