export { imageFolder } from "./image-folder.js";
export { type ImageListOptions, imageList } from "./image-list.js";
export { type PictureFiles, type PictureSourceOptions, pictureSource } from "./picture-source.js";
export { type PictureSplits, splitFiles } from "./picture-splits.js";
