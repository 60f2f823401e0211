import type { Method } from "./state.js";

interface MethodText {
  readonly name: Method;
  readonly title: string;
  /** What it shows, in a sentence. */
  readonly shows: string;
  readonly paper: string;
}

export const methods: readonly MethodText[] = [
  {
    name: "maps",
    title: "Feature maps",
    shows:
      "What a layer makes of the picture: each channel is one picture of where its filter found what it looks for.",
    paper: "LeCun et al., “Gradient-Based Learning Applied to Document Recognition”, 1998",
  },
  {
    name: "saliency",
    title: "Saliency",
    shows:
      "How much the score of the class would change with each pixel: the size of its gradient, the largest of the channels.",
    paper: "Simonyan, Vedaldi, Zisserman, “Deep Inside Convolutional Networks”, 2014",
  },
  {
    name: "guided",
    title: "Guided backpropagation",
    shows:
      "The gradient of the score where each ReLU passes only what speaks for the class through units that were active: edges and textures become clear.",
    paper: "Springenberg, Dosovitskiy, Brox, Riedmiller, “Striving for Simplicity: The All Convolutional Net”, 2015",
  },
  {
    name: "grad-cam",
    title: "Grad-CAM",
    shows:
      "Where a layer speaks for the class: its maps, each weighted by how the score changes with it, added up, and what is positive laid over the picture.",
    paper: "Selvaraju et al., “Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization”, 2017",
  },
  {
    name: "occlusion",
    title: "Occlusion",
    shows:
      "How much of the class's probability is lost when a grey patch hides a place: it takes a pass for each place.",
    paper: "Zeiler, Fergus, “Visualizing and Understanding Convolutional Networks”, 2014, section 4.2",
  },
  {
    name: "deconvolution",
    title: "Deconvolution",
    shows:
      "What in the picture the strongest activation of a channel came from: it alone is sent back through the layers, pools by their switches, filters transposed.",
    paper: "Zeiler, Fergus, “Visualizing and Understanding Convolutional Networks” (ZFNet), 2014, section 2.1",
  },
];
