// What a program pays that names one network of the zoo: that network alone.
import { BasicBlock, ResNet } from "@ocelli/zoo";

console.log(new ResNet(BasicBlock, [2, 2, 2, 2]));
