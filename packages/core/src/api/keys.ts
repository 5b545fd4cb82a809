/** Every annotation, label, env and condition name that Sidestep reads or writes. The one place for each of them. */

/** The API group of SidecarSet. It is OpenKruise’s, so that manifests and clients written for OpenKruise work unchanged. */
export const SIDECARSET_GROUP = 'apps.kruise.io';

/** Written by OpenKruise and by Sidestep alike; names and formats are the compatibility contract. */
export const KRUISE = {
  /** Pod: JSON map of set name to its upgrade record. SidecarSet: the plain hash. */
  hash: 'kruise.io/sidecarset-hash',
  hashWithoutImage: 'kruise.io/sidecarset-hash-without-image',
  injectedList: 'kruise.io/sidecarset-injected-list',
  inPlaceUpdateState: 'kruise.io/sidecarset-inplace-update-state',
  workingHotContainer: 'kruise.io/sidecarset-working-hotupgrade-container',
  versionPrefix: 'version.sidecarset.kruise.io/',
  versionAltPrefix: 'versionalt.sidecarset.kruise.io/',
  revisionSidecarSetName: 'kruise.io/sidecarset-name',
  customVersion: 'apps.kruise.io/sidecarset-custom-version',
  canary: 'apps.kruise.io/sidecarset-canary',
  canaryBase: 'apps.kruise.io/sidecarset-base',
  controllerRevisionHash: 'controller.kubernetes.io/hash',
  whitelistConfigMap: 'kruise-configuration',
  whitelistConfigMapKey: 'SidecarSet_PatchPodMetadata_WhiteList',
  upgradableCondition: 'SidecarSetUpgradable',
} as const;

/**
 * Variables that injected containers get, named as in OpenKruise 1.9. The versions stand in hot pairs only and are read from
 * the pod’s annotations at each start of the container; `IS_INJECTED` is `true` in every injected container and tells it from
 * the app’s.
 */
export const ENV = {
  version: 'SIDECARSET_VERSION',
  versionAlt: 'SIDECARSET_VERSION_ALT',
  isInjected: 'IS_INJECTED',
} as const;

/** Sidestep's own keys. */
export const SIDESTEP = {
  /** Pod: `"false"` opts the pod out of injection. */
  inject: 'sidestep.dev/inject',
  /** Pod: comma list of SidecarSets that are not injected. */
  skipSidecarSets: 'sidestep.dev/skip-sidecarsets',
  /** Pod: JSON map of set name to `UpgradeRecord`; explains the state, is never its source. */
  upgrade: 'sidestep.dev/upgrade',
  /** SidecarSet: what its version of the API cannot say, see `convertSidecarSet`. */
  conversion: 'sidestep.dev/conversion',
  /** SidecarSet: ends the pause of canary steps, see `promotionOf`. */
  promote: 'sidestep.dev/promote',
  /** Label of a pod that pulls an image to a node, and its annotation that names the image. */
  pull: 'sidestep.dev/pull',
  pullImage: 'sidestep.dev/pull-image',
  /** SidecarSet: any text; a new text lets pods be begun again that failed on the wanted revision. */
  retry: 'sidestep.dev/retry',
  /** SidecarSet: the `latestRevision` whose rollout is to stop; pods half done go back to their old container. */
  abort: 'sidestep.dev/abort',
} as const;
