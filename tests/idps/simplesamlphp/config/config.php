<?php

/** SimpleSAMLphp's main configuration: an IdP on loopback, over plain http, all state in the instance's folder. */

$settings = require __DIR__ . '/settings.php';
$folder = $settings['folder'];

$config = [
    'baseurlpath' => $settings['base_url'],
    'certdir' => $folder . '/',
    'loggingdir' => $folder . '/log/',
    'datadir' => $folder . '/data/',
    'tempdir' => $folder . '/tmp',
    'metadatadir' => __DIR__ . '/metadata',
    'attributenamemapdir' => '/etc/simplesamlphp/attributemap/',
    'metadata.sources' => [['type' => 'flatfile', 'directory' => __DIR__ . '/metadata']],

    'secretsalt' => $settings['secret_salt'],
    'auth.adminpassword' => bin2hex(random_bytes(16)),
    'technicalcontact_name' => 'Test',
    'technicalcontact_email' => 'na@example.org',
    'timezone' => 'UTC',
    'admin.checkforupdates' => false,

    'logging.handler' => 'file',
    'logging.level' => SimpleSAML\Logger::NOTICE,
    'logging.logfile' => 'simplesamlphp.log',
    'showerrors' => true,
    'errorreporting' => false,

    'enable.saml20-idp' => true,
    'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],

    'store.type' => 'phpsession',
    'session.phpsession.savepath' => $folder . '/sessions',
    'session.phpsession.cookiename' => 'IdpSession',
    'session.cookie.name' => 'IdpSessionId',
    'session.authtoken.cookiename' => 'IdpAuthToken',
    'session.cookie.secure' => false,
    'session.cookie.samesite' => null,
    'language.cookie.secure' => false,
    'language.cookie.samesite' => null,
    'language.default' => 'en',
];
